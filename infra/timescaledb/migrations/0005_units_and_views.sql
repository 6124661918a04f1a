-- What Grafana asks: figures by the rules of `services.readings` as functions, and lists that open no file.
-- The generator `dashboards.sql` puts the functions together; a test holds the results equal to readings.

-- The administrative units, as this version and the centre's own table know them; filled at every start.
CREATE TABLE unit (
    code       text PRIMARY KEY,
    level      text NOT NULL,
    name_vi    text NOT NULL,
    name_en    text NOT NULL,
    parent     text,
    valid_from date,
    valid_to   date,
    above      text[] NOT NULL
);
COMMENT ON COLUMN unit.above IS 'the units it is part of, nearest first';

-- Whose events belong to a unit (or to `all`), and in which row below it they are shown.
CREATE TABLE unit_scope (
    root text NOT NULL,
    unit text NOT NULL,
    row  text NOT NULL,
    PRIMARY KEY (root, unit)
);

CREATE FUNCTION local_day(t timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (t AT TIME ZONE interval '7 hours')::date $$;

CREATE FUNCTION local_midnight(day date) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT day::timestamp AT TIME ZONE interval '7 hours' $$;

-- --- figures ---
-- Common arguments: `root`, a unit or `all`; the local days `first` to `last`, both included; `known`, the moment as of
-- which; `bucket`: `day`, `month`, or for one single value `whole` and `level` (a level may be older than `first`);
-- `by`: '' for all in one, `unit` for the rows below the root, or a label.

-- A range of Grafana's as days; `compare`: `none`, or the same so many days before (`previous`), or a `year`. Where
-- the range holds the present day, the compared one ends at the same moment of its last day; no row where that lies
-- behind the horizon, since only whole days are kept there.
CREATE FUNCTION figure_asked(wanted text, since timestamptz, until timestamptz, compare text)
RETURNS TABLE (root text, first date, last date, known timestamptz) LANGUAGE sql STABLE AS $$
    SELECT $1, (a.first - b.back)::date, (a.last - b.back)::date, k.known
    FROM (SELECT local_day(since), local_day(until)) a(first, last),
        LATERAL (SELECT CASE compare WHEN 'none' THEN interval '0' WHEN 'year' THEN interval '1 year'
            WHEN 'previous' THEN make_interval(days => a.last - a.first + 1) END) b(back),
        LATERAL (SELECT CASE WHEN a.last < local_day(now()) THEN now()
            ELSE (now() AT TIME ZONE interval '7 hours' - b.back) AT TIME ZONE interval '7 hours' END) k(known)
    WHERE k.known = now() OR NOT EXISTS (SELECT FROM horizon WHERE time > k.known)
$$;

-- The periods asked for that have begun; `stop` is the first instant that no longer counts.
CREATE FUNCTION figure_periods(since date, until date, known timestamptz, bucket text)
RETURNS TABLE (first date, last date, start timestamptz, stop timestamptz) LANGUAGE sql STABLE AS $$
    SELECT f.day, l.day, local_midnight(f.day), least(local_midnight(l.day + 1), known + interval '1 microsecond')
    FROM (
        SELECT d::date AS day FROM generate_series($1::timestamp, least($2, local_day(known))::timestamp, '1 day') d
        WHERE d = $1 OR bucket = 'day' OR bucket = 'month' AND extract(day FROM d) = 1
    ) f, LATERAL (SELECT CASE bucket WHEN 'day' THEN f.day
        WHEN 'month' THEN least($2, (date_trunc('month', f.day::timestamp) + interval '1 month - 1 day')::date)
        ELSE $2 END) l(day)
    WHERE $1 <= $2
$$;

-- The period, of those that begin with `start`, in which the local day that begins at `day` lies.
CREATE FUNCTION figure_start(bucket text, start timestamptz, day timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE bucket WHEN 'day' THEN day
        WHEN 'month' THEN greatest(start, local_midnight(date_trunc('month', local_day(day)::timestamp)::date))
        ELSE start END
$$;

-- The series of a measure whose labels have one of the chosen values, and the group that each belongs to.
CREATE FUNCTION figure_series(root text, by text, measure text, chosen jsonb)
RETURNS TABLE (id integer, unit text, labels jsonb, grp text) LANGUAGE sql STABLE AS $$
    SELECT s.id, s.unit, s.labels,
        CASE by WHEN '' THEN '' WHEN 'unit' THEN u.row ELSE coalesce(s.labels ->> by, 'none') END
    FROM series s JOIN unit_scope u ON u.root = $1 AND u.unit = s.unit
    WHERE s.measure = $3
        AND NOT EXISTS (SELECT FROM jsonb_each(chosen) c WHERE (c.value ? (s.labels ->> c.key)) IS NOT true)
$$;

-- Sums of some series' points in [since, until): of whole months where `months` are wanted, of whole days, and of the
-- points of the day that `until` cuts. `since` is a local midnight; `day` begins the month or day.
CREATE FUNCTION figure_parts(ids integer[], since timestamptz, until timestamptz, months boolean)
RETURNS TABLE (series integer, day timestamptz, sum numeric, count bigint) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    today timestamptz := greatest(since, local_midnight(local_day(until)));
    first_month timestamptz := local_midnight((date_trunc('month', local_day(since)::timestamp - interval '1 day')
        + interval '1 month')::date);
    final_month timestamptz := local_midnight(date_trunc('month', local_day(today)::timestamp)::date);
BEGIN
    IF NOT months OR first_month >= final_month THEN
        first_month := since;
        final_month := since;
    ELSE
        RETURN QUERY SELECT series, bucket, sum, count FROM rollup_month
            WHERE series = ANY (ids) AND bucket >= first_month AND bucket < final_month;
        RETURN QUERY SELECT series, bucket, sum, count FROM rollup_day
            WHERE series = ANY (ids) AND bucket >= since AND bucket < first_month;
    END IF;
    RETURN QUERY SELECT series, bucket, sum, count FROM rollup_day
        WHERE series = ANY (ids) AND bucket >= final_month AND bucket < today;
    IF today < until THEN
        RETURN QUERY SELECT series, today, sum(value), count(*) FROM point
            WHERE series = ANY (ids) AND time >= today AND time < until GROUP BY series;
    END IF;
END
$$;

-- What points there are to a figure: sums (`detail` is `sum` or `count`), stocks (`end`, `start`), the last reported,
-- different values of the label `detail`. Groups and periods without points are absent.
CREATE FUNCTION figure_found(root text, first date, last date, known timestamptz, bucket text, by text,
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
    END CASE;
END
$$;

-- From when to when each group's sources reported: {group: [first, last local day with a point of any of the measures]}.
CREATE FUNCTION figure_reported(root text, by text, covered text[], known timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    today timestamptz := local_midnight(local_day(known));
BEGIN
    RETURN (SELECT jsonb_object_agg(grp, jsonb_build_array(first, last)) FROM (
        SELECT CASE by WHEN 'unit' THEN u.row ELSE '' END AS grp, min(x.day) AS first, max(x.day) AS last
        FROM series s JOIN unit_scope u ON u.root = $1 AND u.unit = s.unit, LATERAL (
            (SELECT bucket AS day FROM rollup_day WHERE series = s.id AND bucket < today ORDER BY bucket LIMIT 1)
            UNION ALL
            (SELECT bucket FROM rollup_day WHERE series = s.id AND bucket < today ORDER BY bucket DESC LIMIT 1)
            UNION ALL
            (SELECT today FROM point WHERE series = s.id AND time >= today AND time <= known LIMIT 1)) x
        WHERE s.measure = ANY (covered) GROUP BY 1) spans);
END
$$;

-- A figure of points: 0 where none was found although its source `reported` around that time (see above), NULL where that
-- is unknown. By a label only what was found.
CREATE FUNCTION figure_measured(root text, first date, last date, known timestamptz, bucket text, by text,
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
    SELECT c.start, c.grp, coalesce(f.value, CASE WHEN form <> 'last' AND s.first < c.stop
        AND (form = 'stock' OR s.last + interval '1 day' > c.start) THEN 0 END)
    FROM cell c LEFT JOIN found f ON f.start = c.start AND f.grp = c.grp LEFT JOIN span s ON s.grp = c.grp
    UNION ALL
    SELECT * FROM found WHERE by NOT IN ('', 'unit')
$$;

-- Statistics and targets as stated, one row for each time that one was published or revised (`place` in that order).
CREATE VIEW statement AS
SELECT e.kind, e.state ->> 'indicator' AS indicator, e.unit, e.origin,
    (e.state ->> 'period_start')::date AS first, (e.state ->> 'period_end')::date AS last,
    coalesce(e.state ->> 'basis', 'table') AS basis, v.place, (v.said ->> 'time')::timestamptz AS published,
    (v.said ->> 'value')::numeric AS value, (v.said ->> 'total')::numeric AS total,
    (v.said ->> 'reached')::boolean AS reached, (v.said ->> 'target')::numeric AS target
FROM entity e, jsonb_array_elements(e.state -> 'vintages') WITH ORDINALITY v(said, place)
WHERE e.kind IN ('statistic', 'target');

-- A figure as stated: of each unit the statement in force, of these the one of the group's own unit, or those of its
-- units for which none above them speaks, put together as `over` says (`sum`, `mean`; `none`: only where it is one).
CREATE FUNCTION figure_stated(root text, first date, last date, known timestamptz, bucket text, by text,
    indicator text, part text, over text)
RETURNS TABLE (start timestamptz, grp text, value numeric) LANGUAGE sql STABLE AS $$
    WITH latest AS (
        SELECT DISTINCT ON (s.unit, s.first, s.last) s.*, u.row, unit.above,
            CASE part WHEN 'value' THEN s.value WHEN 'total' THEN s.total WHEN 'target' THEN s.target
                WHEN 'reached' THEN s.reached::integer ELSE s.value / nullif(s.total, 0) * 100 END AS said
        FROM statement s JOIN unit_scope u ON u.root = $1 AND u.unit = s.unit JOIN unit ON unit.code = s.unit
        WHERE s.indicator = $7 AND s.basis = 'table' AND s.published <= known
            AND s.kind = CASE part WHEN 'target' THEN 'target' ELSE 'statistic' END
        ORDER BY s.unit, s.first, s.last, s.place DESC
    ), period AS (
        SELECT * FROM figure_periods($2, $3, known, bucket)
    ), current AS (
        SELECT DISTINCT ON (p.start, s.unit) p.start, s.unit, s.above, s.said,
            CASE by WHEN 'unit' THEN s.row ELSE '' END AS grp, CASE by WHEN 'unit' THEN s.row ELSE $1 END AS speaker
        FROM period p JOIN latest s ON s.said IS NOT NULL AND (bucket = 'level' OR s.last >= p.first)
            AND CASE s.kind WHEN 'target' THEN s.first ELSE s.last END <= p.last
        ORDER BY p.start, s.unit, s.last DESC, s.first DESC
    ), together AS (
        SELECT c.start, c.grp, sum(c.said), count(*) FROM current c
        WHERE NOT EXISTS (
            SELECT FROM current o WHERE o.start = c.start AND o.grp = c.grp AND o.unit <> c.unit
                AND (o.unit = o.speaker OR c.unit <> c.speaker AND o.unit = ANY (c.above)))
        GROUP BY 1, 2
    )
    SELECT coalesce(p.start, t.start), coalesce(t.grp, ''), CASE WHEN t.count = 1 OR over = 'sum' THEN t.sum
        WHEN over = 'mean' THEN t.sum / t.count END
    FROM together t FULL JOIN (SELECT start FROM period WHERE by = '') p ON p.start = t.start
$$;

-- --- lists: codes are masked, and nothing in them finds the file again ---

CREATE FUNCTION masked(code text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(regexp_replace(substring(code FROM '^.+-\d{6}-\d+$'), '-(\d\d)\d{4}-\d+$', '-\1••••-••••'),
        substring(code FROM '^[A-Z]+-') || '••••', '••••')
$$;
COMMENT ON FUNCTION masked IS 'of a dossier the unit and the year are left, of another reference the register';

-- Those that have not ended: what is over is in the figures.
CREATE VIEW dossier_list AS
SELECT masked(e.id) AS code, e.unit, u.name_vi AS unit_vi, u.name_en AS unit_en, e.state ->> 'procedure' AS procedure,
    e.state ->> 'field' AS field, e.state ->> 'channel' AS channel, e.origin, e.status, e.opened_at, e.due_at,
    s.stage, CASE s.stage WHEN 'overdue' THEN local_day(now()) - d.due END AS days_overdue
FROM entity e LEFT JOIN unit u ON u.code = e.unit,
    LATERAL (SELECT local_day(e.due_at), (e.state ->> 'waiting')::boolean, (e.state ->> 'due_since')::timestamptz)
        d(due, waiting, since),
    -- A wait for supplements stops the clock, unless the day had passed before it. When `soon` begins the calendar
    -- knows: from then on, or when that notice is published, the next notice lies no longer ahead of the due day.
    LATERAL (SELECT CASE
        WHEN d.waiting AND local_midnight(d.due + 1) > d.since THEN 'open'
        WHEN d.due < local_day(now()) THEN 'overdue'
        WHEN d.due = local_day(now()) THEN 'today'
        WHEN e.notice_at <= now() OR e.notice_at >= local_midnight(d.due) THEN 'soon'
        ELSE 'open' END) s(stage)
WHERE e.kind = 'dossier' AND e.opened_at <= now() AND e.ended_at IS NULL;

CREATE VIEW report_list AS
SELECT masked(e.id) AS code, e.state ->> 'category' AS category, e.state ->> 'channel' AS channel,
    e.state ->> 'priority' AS priority, e.status, e.unit, u.name_vi AS unit_vi, u.name_en AS unit_en,
    e.state ->> 'to_unit' AS handled_by, e.origin, e.opened_at, e.due_at, e.ended_at, l.late_stages,
    round((e.state ->> 'latitude')::numeric, 3) AS latitude, round((e.state ->> 'longitude')::numeric, 3) AS longitude
FROM entity e LEFT JOIN unit u ON u.code = e.unit,
    -- A stage that was not reached since the report came (or was reopened) is owed, or was published as overdue.
    LATERAL (
        SELECT coalesce(array_agg(s.stage ORDER BY s.place) FILTER (WHERE NOT s.reached AND coalesce(s.due <= now(), true)),
            '{}') AS late_stages
        FROM (
            SELECT stage, place, (SELECT (o.value ->> 1)::timestamptz FROM jsonb_array_elements(e.state -> 'owed') o
                    WHERE o.value ->> 0 = stage) AS due,
                EXISTS (SELECT FROM jsonb_array_elements(e.facts) f WHERE f.value ->> 2 = ANY (reached_by)
                    AND (f.value ->> 0)::timestamptz >= coalesce((
                        SELECT max((r.value ->> 0)::timestamptz) FROM jsonb_array_elements(e.facts) r
                        WHERE r.value ->> 2 = 'report.reopened'), '-infinity')) AS reached
            FROM (VALUES
                ('route', 1, '{report.routed,report.accepted,report.resolved,report.refused}'::text[]),
                ('accept', 2, '{report.accepted,report.resolved,report.refused}'),
                ('resolve', 3, '{report.resolved,report.refused}')) v(stage, place, reached_by)
            WHERE e.ended_at IS NULL
        ) s
    ) l
WHERE e.kind = 'report' AND e.opened_at <= now();

CREATE VIEW feature_list AS
SELECT e.state ->> 'layer' AS layer, e.state ->> 'name' AS name, e.unit, u.name_vi AS unit_vi, u.name_en AS unit_en,
    e.origin, (e.state ->> 'latitude')::float8 AS latitude, (e.state ->> 'longitude')::float8 AS longitude
FROM entity e LEFT JOIN unit u ON u.code = e.unit
WHERE e.kind = 'feature' AND e.ended_at IS NULL AND e.opened_at <= now();
