-- Medians among the figures: the middle one of a measure's points; a point that its opposite took back does not count.
CREATE OR REPLACE FUNCTION figure_found(root text, first date, last date, known timestamptz, bucket text, by text,
    form text, measure text, chosen jsonb, detail text)
RETURNS TABLE (start timestamptz, grp text, value numeric) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    beginning CONSTANT timestamptz := '1999-12-31 17:00+00';  -- a local midnight before every event
    since timestamptz := local_midnight($2);
    until timestamptz;
    ids integer[];
BEGIN
    SELECT max(stop) INTO until FROM figure_periods($2, $3, known, bucket);
    SELECT array_agg(id) INTO ids FROM figure_series(root, by, measure, chosen);
    CASE form
    WHEN 'sum' THEN RETURN QUERY
        SELECT figure_start(bucket, since, x.day), s.grp, CASE detail WHEN 'sum' THEN sum(x.sum) ELSE sum(x.count) END
        FROM figure_parts(ids, since, until, bucket <> 'day') x
            JOIN figure_series(root, by, measure, chosen) s ON s.id = x.series
        GROUP BY 1, 2;
    WHEN 'stock' THEN RETURN QUERY
        WITH step AS (
            SELECT figure_start(bucket, since, x.day) AS start, s.grp, sum(x.sum), sum(x.count) AS count
            FROM figure_parts(ids, since, until, bucket <> 'day') x
                JOIN figure_series(root, by, measure, chosen) s ON s.id = x.series
            WHERE detail = 'end' OR bucket IN ('day', 'month') GROUP BY 1, 2
        ), base AS (
            SELECT s.grp, sum(x.sum), sum(x.count) AS count FROM figure_parts(ids, beginning, since, true) x
                JOIN figure_series(root, by, measure, chosen) s ON s.id = x.series GROUP BY 1
        ), held AS (
            SELECT p.start, g.grp,
                coalesce(base.sum, 0) + coalesce(CASE detail WHEN 'end' THEN sum(step.sum) OVER upto
                    ELSE sum(step.sum) OVER ahead END, 0) AS sum,
                coalesce(base.count, 0) + coalesce(CASE detail WHEN 'end' THEN sum(step.count) OVER upto
                    ELSE sum(step.count) OVER ahead END, 0) AS count
            FROM figure_periods($2, $3, known, bucket) p
                CROSS JOIN (SELECT grp FROM step UNION SELECT grp FROM base) g
                LEFT JOIN base ON base.grp = g.grp
                LEFT JOIN step ON step.grp = g.grp AND step.start = p.start
            WINDOW upto AS (PARTITION BY g.grp ORDER BY p.start),
                ahead AS (PARTITION BY g.grp ORDER BY p.start ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        )
        SELECT start, grp, sum FROM held WHERE count > 0;
    WHEN 'last' THEN RETURN QUERY
        SELECT start, grp, sum(sum) FROM (
            SELECT DISTINCT ON (x.series, start) figure_start(bucket, since, x.day) AS start, s.grp, x.sum
            FROM figure_parts(ids, CASE bucket WHEN 'level' THEN beginning ELSE since END, until, false) x
                JOIN figure_series(root, by, measure, chosen) s ON s.id = x.series
            ORDER BY x.series, start, x.day DESC
        ) latest GROUP BY 1, 2;
    WHEN 'distinct' THEN RETURN QUERY
        SELECT start, grp, count(*) FILTER (WHERE sum <> 0)::numeric FROM (
            SELECT figure_start(bucket, since, x.day) AS start, s.grp, sum(x.sum)
            FROM figure_parts(ids, since, until, bucket <> 'day') x
                JOIN figure_series(root, by, measure, chosen) s ON s.id = x.series
            GROUP BY 1, 2, s.unit, s.labels ->> detail
        ) each GROUP BY 1, 2;
    WHEN 'median' THEN RETURN QUERY
        WITH each AS (
            SELECT figure_start(bucket, since, local_midnight(local_day(x.time))) AS start, s.grp, abs(x.value) AS value,
                sum(CASE WHEN x.value < 0 THEN -1 ELSE 1 END) AS number
            FROM point x JOIN figure_series(root, by, measure, chosen) s ON s.id = x.series
            WHERE x.series = ANY (ids) AND x.time >= since AND x.time < until
            GROUP BY 1, 2, 3 HAVING sum(CASE WHEN x.value < 0 THEN -1 ELSE 1 END) > 0
        ), placed AS (
            SELECT start, grp, value, sum(number) OVER (PARTITION BY start, grp ORDER BY value) AS upto,
                sum(number) OVER (PARTITION BY start, grp) AS total FROM each
        )
        SELECT start, grp, (min(value) FILTER (WHERE 2 * upto >= total) + min(value) FILTER (WHERE 2 * upto > total)) / 2
        FROM placed WHERE NOT EXISTS (SELECT FROM horizon h WHERE h.time > placed.start) GROUP BY 1, 2;
    END CASE;
END
$$;

CREATE OR REPLACE FUNCTION figure_measured(root text, first date, last date, known timestamptz, bucket text, by text,
    form text, measure text, chosen jsonb, detail text, reported jsonb)
RETURNS TABLE (start timestamptz, grp text, value numeric) LANGUAGE sql STABLE AS $$
    WITH found AS MATERIALIZED (
        SELECT * FROM figure_found($1, $2, $3, known, bucket, by, form, measure, chosen, detail)
    ), period AS MATERIALIZED (
        SELECT start, stop FROM figure_periods($2, $3, known, bucket)
    ), span AS (
        SELECT key AS grp, (value ->> 0)::timestamptz AS first, (value ->> 1)::timestamptz AS last FROM jsonb_each(reported)
    ), cell AS (
        SELECT * FROM period, (SELECT grp FROM found UNION SELECT grp FROM span UNION SELECT '' WHERE by = '') g
        WHERE by IN ('', 'unit')
    )
    SELECT c.start, c.grp, coalesce(f.value, CASE WHEN form NOT IN ('last', 'median') AND s.first < c.stop
        AND (form = 'stock' OR s.last + interval '1 day' > c.start) THEN 0 END)
    FROM cell c LEFT JOIN found f ON f.start = c.start AND f.grp = c.grp LEFT JOIN span s ON s.grp = c.grp
    UNION ALL
    SELECT * FROM found WHERE by NOT IN ('', 'unit')
$$;
