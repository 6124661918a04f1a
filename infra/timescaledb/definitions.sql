-- Every function and view, as they are today. Made anew after the migrations whenever this text has changed
-- (`infra.timescaledb.definitions`), in one transaction, so a fresh database and an upgraded one have the same. Rights
-- stay. Where the arguments of a function or the columns of a view change, a numbered migration drops the old one first.

CREATE OR REPLACE FUNCTION local_day(t timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (t AT TIME ZONE interval '7 hours')::date $$;

CREATE OR REPLACE FUNCTION local_midnight(day date) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT day::timestamp AT TIME ZONE interval '7 hours' $$;

-- --- figures ---
-- Common arguments: `root`, a unit or `all`; the local days `first` to `last`, both included; `known`, the moment as of
-- which; `bucket`: `day`, `month`, or for one single value `whole` and `level` (a level may be older than `first`);
-- `by`: '' for all in one, `unit` for the rows below the root, or a label.

-- A range of Grafana's as days; `compare`: `none`, or the same so many days before (`previous`), or a `year`. Where
-- the range holds the present day, the compared one ends at the same moment of its last day; no row where that lies
-- behind the horizon, since only whole days are kept there.
CREATE OR REPLACE FUNCTION figure_asked(wanted text, since timestamptz, until timestamptz, compare text)
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
CREATE OR REPLACE FUNCTION figure_periods(since date, until date, known timestamptz, bucket text)
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
CREATE OR REPLACE FUNCTION figure_start(bucket text, start timestamptz, day timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE bucket WHEN 'day' THEN day
        WHEN 'month' THEN greatest(start, local_midnight(date_trunc('month', local_day(day)::timestamp)::date))
        ELSE start END
$$;

-- The series of a measure whose labels have one of the chosen values, and the group that each belongs to.
CREATE OR REPLACE FUNCTION figure_series(root text, by text, measure text, chosen jsonb)
RETURNS TABLE (id integer, unit text, labels jsonb, grp text) LANGUAGE sql STABLE AS $$
    SELECT s.id, s.unit, s.labels,
        CASE by WHEN '' THEN '' WHEN 'unit' THEN u.row ELSE coalesce(s.labels ->> by, 'none') END
    FROM series s JOIN unit_scope u ON u.root = $1 AND u.unit = s.unit
    WHERE s.measure = $3
        AND NOT EXISTS (SELECT FROM jsonb_each(chosen) c WHERE (c.value ? (s.labels ->> c.key)) IS NOT true)
$$;

-- Sums of some series' points in [since, until): of whole months where `months` are wanted, of whole days, and of the
-- points of the day that `until` cuts. `since` is a local midnight; `day` begins the month or day.
CREATE OR REPLACE FUNCTION figure_parts(ids integer[], since timestamptz, until timestamptz, months boolean)
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
-- different values of the label `detail`, the middle one of a measure's points (one that its opposite took back does not
-- count). Groups and periods without points are absent.
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

-- From when to when each group's sources reported: {group: [first, last local day with a point of any of the measures]}.
CREATE OR REPLACE FUNCTION figure_reported(root text, by text, covered text[], known timestamptz) RETURNS jsonb
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

-- Statistics and targets as stated, one row for each time that one was published or revised (`place` in that order);
-- `until`: when it was taken back.
CREATE OR REPLACE VIEW statement AS
SELECT e.kind, e.state ->> 'indicator' AS indicator, e.unit, e.origin,
    (e.state ->> 'period_start')::date AS first, (e.state ->> 'period_end')::date AS last,
    coalesce(e.state ->> 'basis', 'table') AS basis, v.place, (v.said ->> 'time')::timestamptz AS published,
    (v.said ->> 'value')::numeric AS value, (v.said ->> 'total')::numeric AS total,
    (v.said ->> 'reached')::boolean AS reached, (v.said ->> 'target')::numeric AS target,
    (v.said ->> 'until')::timestamptz AS until
FROM entity e, jsonb_array_elements(e.state -> 'vintages') WITH ORDINALITY v(said, place)
WHERE e.kind IN ('statistic', 'target');

-- A figure as stated: of each unit the statement in force, of these the one of the group's own unit, or those of its
-- units for which none above them speaks, put together as `over` says (`sum`, `mean`; `none`: only where it is one).
CREATE OR REPLACE FUNCTION figure_stated(root text, first date, last date, known timestamptz, bucket text, by text,
    indicator text, part text, over text)
RETURNS TABLE (start timestamptz, grp text, value numeric) LANGUAGE sql STABLE AS $$
    WITH latest AS (
        SELECT DISTINCT ON (s.unit, s.first, s.last) s.*, u.row, unit.above,
            CASE part WHEN 'value' THEN s.value WHEN 'total' THEN s.total WHEN 'target' THEN s.target
                WHEN 'reached' THEN s.reached::integer ELSE s.value / nullif(s.total, 0) * 100 END AS said
        FROM statement s JOIN unit_scope u ON u.root = $1 AND u.unit = s.unit JOIN unit ON unit.code = s.unit
        WHERE s.indicator = $7 AND s.basis = 'table' AND s.published <= known AND (s.until > known) IS NOT FALSE
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

-- As `schemas.codes.masked`, whose forms of numbers are put in here: of a dossier the unit and the year are left, of
-- another number the register.
CREATE OR REPLACE FUNCTION masked(code text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(
        substring(substring(split_part(code, '@', 1) FROM '^(?:{dossier})$') FROM '^(.+-\d\d)\d{4}-\d+$') || '{hidden}-{hidden}',
        substring(code FROM '^{register}') || '{hidden}', '{hidden}')
$$;

-- As `schemas.cases.reached`: the names of the stages that an open case has reached by now, the present one last.
CREATE OR REPLACE FUNCTION stages_reached(state jsonb) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(s.said ->> 0 ORDER BY s.place) FILTER (WHERE (s.said ->> 1)::timestamptz <= now()), '{}')
    FROM jsonb_array_elements(state -> 'stages') WITH ORDINALITY s(said, place)
$$;

-- Those that have not ended: what is over is in the figures.
CREATE OR REPLACE VIEW dossier_list AS
SELECT masked(e.id) AS code, e.unit, u.name_vi AS unit_vi, u.name_en AS unit_en, e.state ->> 'procedure' AS procedure,
    e.state ->> 'field' AS field, e.state ->> 'channel' AS channel, e.origin, e.status, e.opened_at, e.due_at,
    s.stage, CASE s.stage WHEN 'overdue' THEN local_day(now()) - local_day(e.due_at) END AS days_overdue
FROM entity e LEFT JOIN unit u ON u.code = e.unit,
    LATERAL (SELECT coalesce((stages_reached(e.state))[array_upper(stages_reached(e.state), 1)], 'open')) s(stage)
WHERE e.kind = 'dossier' AND e.opened_at <= now() AND e.ended_at IS NULL;

-- A report's levels are those of the unit that has it in hand, as the fold says them.
CREATE OR REPLACE VIEW report_list AS
SELECT masked(e.id) AS code, e.state ->> 'category' AS category, e.state ->> 'channel' AS channel,
    e.state ->> 'priority' AS priority, e.status, e.unit, u.name_vi AS unit_vi, u.name_en AS unit_en,
    e.state ->> 'to_unit' AS handled_by, e.origin, e.opened_at, e.due_at, e.ended_at,
    CASE WHEN e.ended_at IS NULL THEN stages_reached(e.state) ELSE '{}' END AS late_stages,
    round((e.state ->> 'latitude')::numeric, 3) AS latitude, round((e.state ->> 'longitude')::numeric, 3) AS longitude
FROM entity e LEFT JOIN unit u ON u.code = e.unit
WHERE e.kind = 'report' AND e.opened_at <= now();

-- Reports as Open311 tells of them: nothing in words, the place to about a hundred metres. A number that the door of
-- Open311 gave means nothing elsewhere and is told as it is; of another the register is left, with the day and what only
-- this database makes of the number. Whoever asks for an id knows the day by it.
CREATE OR REPLACE VIEW open311_request AS
SELECT CASE WHEN e.id ~ '{open311}' THEN e.id ELSE coalesce(substring(e.id FROM '^{register}'), '')
        || to_char(e.opened_at AT TIME ZONE interval '7 hours', 'YYMMDD') || '-'
        || upper(left(encode(sha256(convert_to((SELECT value FROM open311_secret) || e.id, 'UTF8')), 'hex'), 12)) END AS id,
    e.state ->> 'category' AS category, e.state ->> 'channel' AS channel, e.state ->> 'priority' AS priority,
    e.status, e.unit, coalesce(e.state ->> 'received_by', e.unit) AS received_by, e.origin, e.opened_at, e.due_at, e.ended_at,
    greatest(e.opened_at, (e.facts -> -1 ->> 0)::timestamptz) AS updated_at,
    round((e.state ->> 'latitude')::numeric, 3)::float8 AS latitude,
    round((e.state ->> 'longitude')::numeric, 3)::float8 AS longitude
FROM entity e
WHERE e.kind = 'report' AND e.opened_at <= now() AND e.state ? 'category';

CREATE OR REPLACE VIEW feature_list AS
SELECT e.state ->> 'layer' AS layer, e.state ->> 'name' AS name, e.unit, u.name_vi AS unit_vi, u.name_en AS unit_en,
    e.origin, (e.state ->> 'latitude')::float8 AS latitude, (e.state ->> 'longitude')::float8 AS longitude
FROM entity e LEFT JOIN unit u ON u.code = e.unit
WHERE e.kind = 'feature' AND e.ended_at IS NULL AND e.opened_at <= now();

CREATE OR REPLACE VIEW alarm_list AS
SELECT id,
       CASE WHEN cleared_at IS NOT NULL THEN 'cleared'
            WHEN acknowledged_at IS NULL THEN 'active'
            WHEN assignee IS NOT NULL THEN 'assigned'
            ELSE 'acknowledged' END AS status,
       severity, system, unit, type,
       CASE WHEN entity IS NULL THEN originator
            ELSE kind || ':' || masked(entity) || coalesce('/' || stage, '') END AS originator,
       origin, vi, en, dashboard, raised_at, refreshed_at, times,
       acknowledged_at, acknowledged_by, assignee, deadline, cleared_at, cleared_by
FROM alarm;

-- Who may hold an alarm: accounts of the board, as services without a right to their passwords see them.
CREATE OR REPLACE VIEW person AS
SELECT name, full_name, role, units, disabled FROM account;

-- Active alarms whose holder, who was given it or else acknowledged it, is disabled by now: nobody sees to them.
CREATE OR REPLACE VIEW alarm_orphan AS
SELECT a.id AS alarm, p.name AS person
FROM alarm a JOIN account p
    ON p.disabled AND lower(normalize(coalesce(a.assignee, a.acknowledged_by))) IN (p.name, lower(normalize(p.full_name)))
WHERE a.cleared_at IS NULL;

-- The row of a number, or of `NUMBER@office`: its own where the number has several cases, else the number's. (An incident
-- that another office opened is another's; a notice about a report is published by whoever speaks for it, of what is
-- folded.)
CREATE OR REPLACE FUNCTION case_row(kind text, id text) RETURNS SETOF entity LANGUAGE sql STABLE AS $$
    SELECT e.* FROM entity e WHERE e.kind = $1 AND (e.id = $2 OR e.id = split_part($2, '@', 1)
        AND ($1 = 'report' OR e.unit = split_part($2, '@', 2)))
    ORDER BY length(e.id) DESC LIMIT 1
$$;

-- When these keys were shown last: whoever serves them may write that, and nothing else of them.
CREATE OR REPLACE FUNCTION note_key_use(names text[], at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE emitter_key SET seen_at = greatest(seen_at, at) WHERE name = ANY (names)
$$;

-- --- retention: who may only call these can forget nothing younger than the horizon ---

-- From now on nothing before `until` is accepted: batches in work are waited for, later ones see the new version.
-- The lock on the table keeps a second upkeep out, and waits for a fold of the whole log; aggregators do not mind it.
CREATE OR REPLACE FUNCTION move_horizon(until timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF until > now() - interval '400 days' THEN
        RAISE EXCEPTION 'the horizon may not be younger than the 400 days for which the broker keeps events'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF until <> date_bin('1 day', until, '1999-12-31 17:00+00') THEN
        RAISE EXCEPTION 'the horizon must be a midnight in Viet Nam, not %', until
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    LOCK TABLE horizon IN SHARE UPDATE EXCLUSIVE MODE;
    UPDATE calendar_version SET version = version + 1;
    UPDATE horizon SET time = until WHERE time < until;
END
$$;

-- Rows of a hypertable before `edge`: those of the chunk it cuts first, then whole chunks, for which readers wait.
CREATE OR REPLACE FUNCTION forget_rows(hypertable text, time_column text, edge timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    cut timestamptz;
BEGIN
    SELECT max(range_end) INTO cut FROM timescaledb_information.chunks
    WHERE hypertable_name = hypertable AND range_end <= edge;
    EXECUTE format('DELETE FROM %I WHERE %I < $1 AND %I >= $2', hypertable, time_column, time_column)
        USING edge, coalesce(cut, '-infinity');
    IF cut IS NOT NULL THEN
        PERFORM drop_chunks(hypertable::regclass, older_than => cut);
    END IF;
END
$$;

-- Takes events and their keys before the horizon out of the log, all or none, and notes what the sources had sent.
CREATE OR REPLACE FUNCTION forget_log() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0 AS $$
DECLARE
    edge timestamptz;
    gone bigint;
BEGIN
    LOCK TABLE horizon IN SHARE UPDATE EXCLUSIVE MODE;
    SELECT time INTO STRICT edge FROM horizon;
    INSERT INTO source_base AS b
    SELECT source, type, count(*), max(time), max(recorded) FROM event WHERE time < edge GROUP BY source, type
    ON CONFLICT (source, type) DO UPDATE SET events = b.events + excluded.events,
        last_time = greatest(b.last_time, excluded.last_time),
        last_recorded = greatest(b.last_recorded, excluded.last_recorded);
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    DELETE FROM event_key WHERE time < edge;
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM forget_rows('event', 'time', edge);
    RETURN gone;
END
$$;

-- Points before the horizon; the days stay.
CREATE OR REPLACE FUNCTION forget_series() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    edge timestamptz;
BEGIN
    LOCK TABLE horizon IN SHARE UPDATE EXCLUSIVE MODE;
    SELECT time INTO STRICT edge FROM horizon;
    PERFORM forget_rows('point', 'time', edge);
END
$$;

-- Entities that ended (or never began) before the horizon and of which nothing was heard since, but for `kept` kinds.
-- Cases of one number are forgotten together: what is left of a number must be all that is known of it. One in an
-- aggregator's hands is left for the next time, so nobody ever waits in a circle.
CREATE OR REPLACE FUNCTION forget_entities(kept text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    edge timestamptz;
    gone bigint;
BEGIN
    LOCK TABLE horizon IN SHARE UPDATE EXCLUSIVE MODE;
    SELECT time INTO STRICT edge FROM horizon;
    DELETE FROM entity e USING (
        SELECT kind, id, cases FROM entity m
        WHERE kind <> ALL (kept) AND (ended_at < edge OR opened_at IS NULL) AND (facts -> -1 ->> 0)::timestamptz < edge
            AND id NOT LIKE '%@%'
            AND NOT EXISTS (
                SELECT FROM unnest(m.cases) further JOIN entity f ON f.kind = m.kind AND f.id = further
                WHERE NOT ((f.ended_at < edge OR f.opened_at IS NULL) AND (f.facts -> -1 ->> 0)::timestamptz < edge)
                    OR f.ended_at IS NULL AND f.opened_at IS NOT NULL)
        FOR UPDATE SKIP LOCKED
    ) old WHERE e.kind = old.kind AND (e.id = old.id OR e.id = ANY (old.cases));
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

-- The oldest chunk of the log after `since` that ended before `until` and holds rows: it was never turned into columns,
-- or took in late events since (bits of its status: 1 columns, 2 and 8 rows beside them; 4: frozen by an operator).
CREATE OR REPLACE FUNCTION log_chunk_in_rows(until timestamptz, since timestamptz, OUT chunk regclass, OUT begins timestamptz)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT c.relation, c.range_start FROM (
        SELECT format('%I.%I', chunk_schema, chunk_name)::regclass AS relation, range_start, range_end
        FROM timescaledb_information.chunks WHERE hypertable_schema = 'public' AND hypertable_name = 'event'
    ) c, _timescaledb_functions.chunk_status(c.relation) status
    WHERE c.range_start > since AND c.range_end <= until
        AND status & 4 = 0 AND (status & 1 = 0 OR status & 10 <> 0)
    ORDER BY c.range_start LIMIT 1
$$;

-- Turns that chunk into columns and returns where it begins; null: there is none. `since` takes a round past a chunk
-- into which late events go on coming. Only the community edition can; the Apache edition passes by. The log alone is
-- compressed, since it is only ever added to: rollups are locked row by row and points taken back by key, which
-- columns do badly or not at all.
CREATE OR REPLACE FUNCTION compress_log(until timestamptz, since timestamptz) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    old record;
BEGIN
    IF current_setting('timescaledb.license') <> 'timescale' THEN
        RETURN NULL;
    END IF;
    IF NOT (SELECT compression_enabled FROM timescaledb_information.hypertables
            WHERE hypertable_schema = 'public' AND hypertable_name = 'event') THEN
        ALTER TABLE event SET (
            timescaledb.compress, timescaledb.compress_segmentby = 'type', timescaledb.compress_orderby = 'time, key'
        );
    END IF;
    SELECT * INTO old FROM log_chunk_in_rows(until, since);
    IF old.chunk IS NOT NULL THEN
        PERFORM compress_chunk(old.chunk);
    END IF;
    RETURN old.begins;
END
$$;

REVOKE EXECUTE ON FUNCTION note_key_use, move_horizon, forget_rows, forget_log, forget_series, forget_entities, log_chunk_in_rows,
    compress_log FROM PUBLIC;

-- Which text the others were made from.
CREATE OR REPLACE FUNCTION definitions() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT '{digest}' $$;
