"""The table `summed_labels`: by which labels the series of a unit are summed together, filled from the catalogue."""

from __future__ import annotations

import psycopg

from schemas.indicators.sums import summed_labels


def fill(conninfo: str) -> bool:
    """Bring the table to what this process's catalogue asks, as its owner, and sum anew where that has changed; whether
    anything had to be changed. Aggregators wait meanwhile."""
    wanted = {measure: list(labels) for measure, labels in summed_labels().items()}
    with psycopg.connect(conninfo) as conn:
        if dict(conn.execute("SELECT measure, labels FROM summed_labels").fetchall()) == wanted:
            return False
        conn.execute("SELECT FROM calendar_version FOR UPDATE")
        conn.execute("LOCK TABLE series IN SHARE ROW EXCLUSIVE MODE")
        conn.execute("DELETE FROM summed_labels")
        with conn.cursor().copy("COPY summed_labels FROM STDIN") as rows:
            for row in sorted(wanted.items()):
                rows.write_row(row)
        conn.execute(_SUM_ANEW)
    return True


_SUM_ANEW = """
UPDATE series s SET summed_as = f.first, asked = CASE WHEN s.id = f.first THEN f.asked END FROM (
    SELECT s.id, a.asked, CASE WHEN a.asked IS NOT NULL
        THEN min(s.id) OVER (PARTITION BY s.measure, s.unit, s.origin, a.asked) END AS first
    FROM series s LEFT JOIN summed_labels l USING (measure),
        LATERAL (SELECT CASE WHEN l.labels IS NOT NULL THEN asked_labels(s.labels, l.labels) END) a(asked)) f
WHERE f.id = s.id AND (s.summed_as, s.asked) IS DISTINCT FROM (f.first, CASE WHEN s.id = f.first THEN f.asked END);
TRUNCATE rollup_unit_month;
INSERT INTO rollup_unit_month (series, bucket, count, sum)
SELECT s.summed_as, r.bucket, sum(r.count), sum(r.sum) FROM rollup_month r JOIN series s ON s.id = r.series
WHERE s.summed_as IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2;
"""
