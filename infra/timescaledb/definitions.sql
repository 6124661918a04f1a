-- Every function and view, as they are today. Made anew after the migrations whenever this text has changed
-- (`infra.timescaledb.definitions`), in one transaction, so a fresh database and an upgraded one have the same. Rights
-- stay. Where the arguments of a function or the columns of a view change, a numbered migration drops the old one first.

CREATE OR REPLACE FUNCTION local_day(t timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (t AT TIME ZONE interval '7 hours')::date $$;

CREATE OR REPLACE FUNCTION local_midnight(day date) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT day::timestamp AT TIME ZONE interval '7 hours' $$;

-- The first local midnight at or after a moment, the midnight that begins its month, the first month at or after it.
CREATE OR REPLACE FUNCTION next_midnight(t timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT local_midnight((t AT TIME ZONE interval '7 hours' - interval '1 microsecond')::date + 1)
$$;

CREATE OR REPLACE FUNCTION month_of(t timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT local_midnight(date_trunc('month', local_day(t)::timestamp)::date) $$;

CREATE OR REPLACE FUNCTION next_month(t timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT local_midnight((date_trunc('month', t AT TIME ZONE interval '7 hours' - interval '1 microsecond')
        + interval '1 month')::date)
$$;

-- --- sums by unit ---

-- Of a series' labels those that figures ask for.
CREATE OR REPLACE FUNCTION asked_labels(labels jsonb, asked text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(l.label, $1 -> l.label), '{}') FROM unnest(asked) l(label)
$$;

-- A trigger of `series`: a new one is summed under the first of its like. Of two made at once each may be the first: then there are two sums.
CREATE OR REPLACE FUNCTION find_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept text[];
BEGIN
    SELECT labels INTO kept FROM summed_labels WHERE measure = NEW.measure;
    IF FOUND THEN
        SELECT coalesce(min(s.id), NEW.id) INTO NEW.summed_as FROM series s
        WHERE s.id = s.summed_as AND s.measure = NEW.measure AND s.unit = NEW.unit AND s.origin = NEW.origin
            AND s.asked = asked_labels(NEW.labels, kept);
        NEW.asked := CASE WHEN NEW.summed_as = NEW.id THEN asked_labels(NEW.labels, kept) END;
    END IF;
    RETURN NEW;
END
$$;

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

-- Functions that are joined are PL/pgSQL with estimates of rows: SQL functions would be planned in place, for billions of
-- rows, each time. What is put together is planned once in a session; what looks for series is planned for their number.
-- The periods asked for that have begun; `stop` is the first instant that no longer counts.
CREATE OR REPLACE FUNCTION figure_periods(since date, until date, known timestamptz, bucket text)
RETURNS TABLE (first date, last date, start timestamptz, stop timestamptz) LANGUAGE plpgsql STABLE ROWS 10 AS $$
BEGIN
    RETURN QUERY SELECT f.day, l.day, local_midnight(f.day), least(local_midnight(l.day + 1), known + interval '1 microsecond')
    FROM (
        SELECT d::date AS day FROM generate_series($1::timestamp, least($2, local_day(known))::timestamp, '1 day') d
        WHERE bucket <> 'hour' AND (d = $1 OR bucket = 'day' OR bucket = 'month' AND extract(day FROM d) = 1)
    ) f, LATERAL (SELECT CASE bucket WHEN 'day' THEN f.day
        WHEN 'month' THEN least($2, (date_trunc('month', f.day::timestamp) + interval '1 month - 1 day')::date)
        ELSE $2 END) l(day)
    WHERE $1 <= $2
    UNION ALL
    SELECT local_day(h), local_day(h), h, least(h + interval '1 hour', known + interval '1 microsecond')
    FROM generate_series(local_midnight($1), least(local_midnight($2 + 1) - interval '1 hour', known), '1 hour') h
    WHERE bucket = 'hour';
END
$$;

-- The period, of those that begin with `start`, in which a moment lies.
CREATE OR REPLACE FUNCTION figure_start(bucket text, start timestamptz, moment timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE bucket WHEN 'hour' THEN date_bin('1 hour', moment, '1999-12-31 17:00+00')
        WHEN 'day' THEN local_midnight(local_day(moment)) WHEN 'month' THEN greatest(start, month_of(moment)) ELSE start END
$$;

-- [since, until) in local days and what is left of a day at its ends, as `figure_stretches` gives them.
CREATE OR REPLACE FUNCTION figure_days(since timestamptz, until timestamptz, sign integer)
RETURNS TABLE (source text, sign integer, begins timestamptz, ends timestamptz) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT p.source, $3, p.begins, p.ends
    FROM (SELECT next_midnight(since), local_midnight(local_day(until))) m(first, last),
        LATERAL (SELECT CASE WHEN m.first <= m.last THEN m.first ELSE until END,
            CASE WHEN m.first <= m.last THEN m.last ELSE until END) d(first, last),
        LATERAL (VALUES ('point', since, d.first), ('day', d.first, d.last), ('point', d.last, until)) p(source, begins, ends)
    WHERE p.begins < p.ends
$$;

-- [since, until) cut at midnights and, for periods of months, at firsts of months, none of it empty: of which table each
-- part is read, and with which sign it counts. Of the last month the shorter side is read: the days until `until`, or the
-- month less what comes after.
CREATE OR REPLACE FUNCTION figure_stretches(since timestamptz, until timestamptz, bucket text)
RETURNS TABLE (source text, sign integer, begins timestamptz, ends timestamptz) LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    first_month timestamptz := next_month(since);
    final_month timestamptz := month_of(until);
    following timestamptz := next_month(until);
BEGIN
    IF bucket = 'hour' THEN
        RETURN QUERY SELECT 'point', 1, since, until WHERE since < until;
    ELSIF bucket = 'day' OR first_month > final_month THEN
        RETURN QUERY SELECT * FROM figure_days(since, until, 1);
    ELSE
        RETURN QUERY SELECT * FROM figure_days(since, first_month, 1);
        RETURN QUERY SELECT 'month', 1, first_month, final_month WHERE first_month < final_month;
        IF until - final_month <= following - until THEN
            RETURN QUERY SELECT * FROM figure_days(final_month, until, 1);
        ELSE
            RETURN QUERY SELECT 'month', 1, final_month, following;
            RETURN QUERY SELECT * FROM figure_days(until, following, -1);
        END IF;
    END IF;
END
$$;

-- A quotient with more digits than anybody keeps; NULL where nothing is to be divided by.
CREATE OR REPLACE FUNCTION exactly(n numeric, by numeric) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT trim_scale((n + 0.0000000000000000000000000000000000000000) / nullif(by, 0))
$$;

-- The sets of labels of which a series has one where each of its labels has one of the chosen values.
CREATE OR REPLACE FUNCTION label_sets(chosen jsonb) RETURNS jsonb[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    sets jsonb[] := '{"{}"}';
    c record;
BEGIN
    FOR c IN SELECT * FROM jsonb_each(chosen) LOOP
        sets := ARRAY(SELECT s || jsonb_build_object(c.key, v.value) FROM unnest(sets) s, jsonb_array_elements(c.value) v(value));
    END LOOP;
    RETURN sets;
END
$$;

-- The leaves of formulas that are asked for, as `schemas.indicators.plan.wanted` names them, in their order.
CREATE OR REPLACE FUNCTION figure_wanted(wanted jsonb)
RETURNS TABLE (leaf integer, form text, measure text, chosen jsonb, detail text, covered text[], over text)
LANGUAGE plpgsql IMMUTABLE ROWS 10 AS $$
BEGIN
    RETURN QUERY SELECT w.place::integer, w.form, w.of, coalesce(w.where, '{}'), w.detail, w.covered, w.over FROM ROWS FROM (
        jsonb_to_recordset(wanted) AS (form text, of text, "where" jsonb, detail text, covered text[], over text)
    ) WITH ORDINALITY AS w(form, of, "where", detail, covered, over, place);
END
$$;

-- Each unit below a root with its row. The estimate makes joins with it hash it, be it one unit or all of a nation.
CREATE OR REPLACE FUNCTION figure_rows(root text) RETURNS TABLE (unit text, "row" text)
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
BEGIN
    RETURN QUERY SELECT u.unit, u.row FROM unit_scope u WHERE u.root = $1;
END
$$;

-- The units below a root; null: all there are.
CREATE OR REPLACE FUNCTION figure_units(root text) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN $1 <> 'all' THEN ARRAY(SELECT u.unit FROM unit_scope u WHERE u.root = $1) END
$$;

-- What the points in [since, until) add up to, series by series; of the `summed` measures under the series that stands
-- for its like. `moment` lies in the hour, day or month that was summed; where nothing is bucketed it says nothing.
CREATE OR REPLACE FUNCTION figure_parts(root text, plain text[], summed text[], since timestamptz, until timestamptz,
    bucket text)
RETURNS TABLE (series integer, moment timestamptz, sum numeric, count bigint) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    units text[] := figure_units(root);
    running boolean := bucket IN ('hour', 'day', 'month');
    x record;
BEGIN
    IF plain || summed = '{}' THEN
        RETURN;
    END IF;
    FOR x IN SELECT * FROM figure_stretches(since, until, bucket) LOOP
        IF x.source = 'month' THEN
            RETURN QUERY SELECT r.series, CASE WHEN running THEN r.bucket ELSE x.begins END, x.sign * sum(r.sum),
                    x.sign * sum(r.count)::bigint FROM rollup_unit_month r
                WHERE r.bucket >= x.begins AND r.bucket < x.ends AND r.series = ANY (ARRAY(
                    SELECT s.id FROM series s WHERE s.measure = ANY (summed) AND s.id = s.summed_as
                        AND (units IS NULL OR s.unit = ANY (units)))) GROUP BY 1, 2;
            RETURN QUERY SELECT r.series, CASE WHEN running THEN r.bucket ELSE x.begins END, x.sign * sum(r.sum),
                    x.sign * sum(r.count)::bigint FROM rollup_month r
                WHERE r.bucket >= x.begins AND r.bucket < x.ends AND r.series = ANY (ARRAY(
                    SELECT s.id FROM series s WHERE s.measure = ANY (plain) AND (units IS NULL OR s.unit = ANY (units))))
                GROUP BY 1, 2;
            CONTINUE;
        END IF;
        IF x.source = 'day' THEN
            RETURN QUERY SELECT CASE WHEN s.measure = ANY (summed) THEN s.summed_as ELSE s.id END,
                CASE WHEN running THEN r.bucket ELSE x.begins END, x.sign * sum(r.sum), x.sign * sum(r.count)::bigint
                FROM rollup_day r JOIN series s ON s.id = r.series
                WHERE r.bucket >= x.begins AND r.bucket < x.ends AND s.measure = ANY (plain || summed)
                    AND (units IS NULL OR s.unit = ANY (units)) GROUP BY 1, 2;
        ELSE
            RETURN QUERY SELECT CASE WHEN s.measure = ANY (summed) THEN s.summed_as ELSE s.id END,
                CASE WHEN bucket = 'hour' THEN date_bin('1 hour', p.time, '1999-12-31 17:00+00')
                    WHEN running THEN local_midnight(local_day(p.time)) ELSE x.begins END, x.sign * sum(p.value), x.sign * count(*)
                FROM point p JOIN series s ON s.id = p.series
                WHERE p.time >= x.begins AND p.time < x.ends AND s.measure = ANY (plain || summed)
                    AND (units IS NULL OR s.unit = ANY (units)) GROUP BY 1, 2;
        END IF;
    END LOOP;
END
$$;

-- Sums (`detail`: `sum` or `count`), stocks (at the `end` or the `start` of each period) and numbers of different values (of
-- the label `detail`, of each unit its own) that have points, all at once. Parts are grouped once, by what is asked for: of
-- series of which a part was taken off again nothing is left in the group.
CREATE OR REPLACE FUNCTION figure_sums(root text, first date, last date, known timestamptz, bucket text, by text, wanted jsonb)
RETURNS TABLE (leaf integer, start timestamptz, grp text, value numeric, origins text[])
LANGUAGE plpgsql STABLE ROWS 100
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    beginning CONSTANT timestamptz := '1999-12-31 17:00+00';  -- a local midnight before every event
    since timestamptz := local_midnight($2);
    until timestamptz := (SELECT max(stop) FROM figure_periods($2, $3, known, bucket));
    running boolean := bucket IN ('hour', 'day', 'month');
    -- Measures of which something in the period is asked, and those of which all before it is.
    flows text[];
    stocks text[];
    summed text[];
BEGIN
    IF until IS NULL THEN
        RETURN;
    END IF;
    SELECT array_agg(DISTINCT w.measure) FILTER (WHERE w.form IN ('sum', 'distinct') OR w.detail = 'end' OR running),
        array_agg(DISTINCT w.measure) FILTER (WHERE w.form = 'stock') INTO flows, stocks
    FROM figure_wanted(wanted) w WHERE w.form IN ('sum', 'stock', 'distinct');
    SELECT array_agg(l.measure) INTO summed FROM summed_labels l
    WHERE (by IN ('', 'unit') OR by = ANY (l.labels)) AND NOT EXISTS (
        SELECT FROM figure_wanted(wanted) w LEFT JOIN jsonb_object_keys(w.chosen) label ON true
        WHERE w.measure = l.measure AND (w.form = 'distinct' OR w.form IN ('sum', 'stock') AND label IS NOT NULL AND label <> ALL (l.labels)));
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT w.*, label_sets(w.chosen) AS sets FROM figure_wanted(wanted) w WHERE w.form IN ('sum', 'stock', 'distinct')
    ), part AS MATERIALIZED (
        SELECT series, figure_start(bucket, since, moment) AS start, sum, count
        FROM figure_parts(root, ARRAY(SELECT unnest(flows) EXCEPT SELECT unnest(summed)),
            ARRAY(SELECT unnest(flows) INTERSECT SELECT unnest(summed)), since, until, bucket)
        UNION ALL
        SELECT series, NULL, sum, count FROM figure_parts(root,
            ARRAY(SELECT unnest(stocks) EXCEPT SELECT unnest(summed)),
            ARRAY(SELECT unnest(stocks) INTERSECT SELECT unnest(summed)), beginning, since, 'whole')
    ), located AS MATERIALIZED (
        SELECT s.measure, s.unit, s.labels, s.origin, g.grp, x.start, x.sum, x.count
        FROM part x JOIN series s ON s.id = x.series
            LEFT JOIN figure_rows(CASE by WHEN 'unit' THEN $1 END) u ON u.unit = s.unit,
            LATERAL (SELECT CASE by WHEN '' THEN '' WHEN 'unit' THEN u.row ELSE coalesce(s.labels ->> by, 'none') END) g(grp)
    ), matched AS MATERIALIZED (
        SELECT a.leaf, a.form, a.detail, l.origin, l.grp, l.start, sum(l.sum) AS sum, sum(l.count) AS count
        FROM asked a JOIN located l ON l.measure = a.measure AND l.labels @> ANY (a.sets)
        WHERE a.form <> 'distinct' OR l.start IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(l.count) > 0
    ), each AS (
        SELECT a.leaf, l.start, l.grp, l.unit, l.labels ->> a.detail, sum(l.sum) AS sum
        FROM asked a JOIN located l ON l.measure = a.measure AND l.labels @> ANY (a.sets) AND l.start IS NOT NULL
        WHERE a.form = 'distinct' GROUP BY 1, 2, 3, 4, 5
    )
    SELECT m.leaf, m.start, m.grp, CASE m.detail WHEN 'sum' THEN sum(m.sum) ELSE sum(m.count) END,
        array_agg(DISTINCT m.origin)
    FROM matched m WHERE m.form = 'sum' AND m.start IS NOT NULL GROUP BY m.leaf, m.start, m.grp, m.detail
    UNION ALL
    SELECT m.leaf, p.start, m.grp, sum(m.sum), array_agg(DISTINCT m.origin)
    FROM matched m JOIN figure_periods($2, $3, known, bucket) p
        ON m.start IS NULL OR m.start < p.start OR m.start = p.start AND m.detail = 'end'
    WHERE m.form = 'stock' GROUP BY m.leaf, p.start, m.grp
    UNION ALL
    SELECT m.leaf, m.start, m.grp, n.count::numeric, array_agg(m.origin)
    FROM matched m JOIN (
        SELECT e.leaf, e.start, e.grp, count(*) FILTER (WHERE e.sum <> 0) FROM each e GROUP BY 1, 2, 3
    ) n USING (leaf, start, grp) WHERE m.form = 'distinct' GROUP BY m.leaf, m.start, m.grp, n.count;
END
$$;

-- The series of a measure whose labels have one of the chosen values, and the group that each belongs to.
CREATE OR REPLACE FUNCTION figure_series(root text, by text, measure text, chosen jsonb)
RETURNS TABLE (id integer, unit text, origin text, labels jsonb, grp text) LANGUAGE sql STABLE AS $$
    SELECT s.id, s.unit, s.origin, s.labels,
        CASE by WHEN '' THEN '' WHEN 'unit' THEN u.row ELSE coalesce(s.labels ->> by, 'none') END
    FROM series s LEFT JOIN unit_scope u ON u.root = $1 AND u.unit = s.unit
    WHERE s.measure = $3 AND (u.unit IS NOT NULL OR $1 = 'all') 
        AND s.labels @> ANY (label_sets(chosen))
$$;

-- What points there are to a figure of single points: the last reported, the middle one of a measure's (one that its
-- opposite took back does not count). Groups and periods without are absent.
CREATE OR REPLACE FUNCTION figure_found(root text, first date, last date, known timestamptz, bucket text, by text,
    form text, measure text, chosen jsonb, detail text)
RETURNS TABLE (start timestamptz, grp text, value numeric, origins text[]) LANGUAGE plpgsql STABLE ROWS 10
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    since timestamptz := CASE WHEN form = 'last' AND bucket = 'level' THEN '1999-12-31 17:00+00' ELSE local_midnight($2) END;
    until timestamptz := (SELECT max(stop) FROM figure_periods($2, $3, known, bucket));
    today timestamptz := greatest(since, local_midnight(local_day(until)));
BEGIN
    CASE
    WHEN until IS NULL THEN RETURN;
    WHEN form = 'last' AND bucket IN ('whole', 'level') THEN RETURN QUERY
        SELECT local_midnight($2), s.grp, sum(x.sum), array_agg(DISTINCT s.origin)
        FROM figure_series(root, by, measure, chosen) s, LATERAL (
            (SELECT r.bucket AS day, r.sum FROM rollup_day r
             WHERE r.series = s.id AND r.bucket >= since AND r.bucket < today ORDER BY r.bucket DESC LIMIT 1)
            UNION ALL (SELECT today, sum(p.value) FROM point p
             WHERE p.series = s.id AND p.time >= today AND p.time < until HAVING count(*) > 0)
            ORDER BY day DESC LIMIT 1) x
        GROUP BY 2;
    WHEN form = 'last' THEN RETURN QUERY
        SELECT start, grp, sum(sum), array_agg(DISTINCT origin) FROM (
            SELECT DISTINCT ON (x.series, start) figure_start(bucket, since, x.moment) AS start, s.grp, s.origin, x.sum
            FROM figure_parts(root, ARRAY[measure], '{}', since, until, CASE bucket WHEN 'hour' THEN bucket ELSE 'day' END) x
                JOIN figure_series(root, by, measure, chosen) s ON s.id = x.series
            ORDER BY x.series, start, x.moment DESC
        ) latest GROUP BY 1, 2;
    WHEN form = 'median' THEN RETURN QUERY
        WITH each AS (
            SELECT figure_start(bucket, since, x.time) AS start, s.grp, abs(x.value) AS value,
                sum(CASE WHEN x.value < 0 THEN -1 ELSE 1 END) AS number, array_agg(DISTINCT s.origin) AS origins
            FROM point x JOIN figure_series(root, by, measure, chosen) s ON s.id = x.series
            WHERE x.time >= since AND x.time < until
            GROUP BY 1, 2, 3 HAVING sum(CASE WHEN x.value < 0 THEN -1 ELSE 1 END) > 0
        ), placed AS (
            SELECT start, grp, value, sum(number) OVER (PARTITION BY start, grp ORDER BY value) AS upto,
                sum(number) OVER (PARTITION BY start, grp) AS total FROM each
        )
        SELECT start, grp, (min(value) FILTER (WHERE 2 * upto >= total) + min(value) FILTER (WHERE 2 * upto > total)) / 2,
            (SELECT array_agg(DISTINCT o) FROM each e, unnest(e.origins) o WHERE e.grp = placed.grp AND e.start = placed.start)
        FROM placed GROUP BY 1, 2;
    END CASE;
END
$$;

-- From when to when each group's sources reported: the first and last local day with a point of any of the measures. The
-- groups `besides` may be left out; of a group with such a day in [start, stop), where these are given, one is enough.
CREATE OR REPLACE FUNCTION figure_reported(root text, by text, covered text[], known timestamptz, besides text[],
    start timestamptz, stop timestamptz)
RETURNS TABLE (grp text, first timestamptz, last timestamptz) LANGUAGE plpgsql STABLE ROWS 10
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    today timestamptz := local_midnight(local_day(known));
    units text[] := CASE WHEN by = 'unit' THEN ARRAY(SELECT u.unit FROM unit_scope u WHERE u.root = $1
        AND NOT EXISTS (SELECT FROM unnest(besides) b WHERE b = u.row)) ELSE figure_units(root) END;
    seen text[];
BEGIN
    IF units = '{}' THEN
        RETURN;
    END IF;
    IF by = 'unit' AND $6 < today THEN
        seen := ARRAY(SELECT u.unit FROM unnest(units) u(unit) WHERE EXISTS (
            SELECT FROM series s, LATERAL (SELECT FROM rollup_day r
                WHERE r.series = s.id AND r.bucket >= $6 AND r.bucket < least($7, today) LIMIT 1) r
            WHERE s.measure = ANY (covered) AND s.unit = u.unit));
        RETURN QUERY SELECT DISTINCT u.row, $6, $6 FROM unit_scope u WHERE u.root = $1 AND u.unit = ANY (seen);
        units := ARRAY(SELECT u.unit FROM unit_scope u WHERE u.root = $1 AND u.unit = ANY (units) AND u.row <> ALL (
            ARRAY(SELECT o.row FROM unit_scope o WHERE o.root = $1 AND o.unit = ANY (seen))));
    END IF;
    RETURN QUERY
    SELECT g.grp, min(x.day), max(x.day)
    FROM series s LEFT JOIN figure_rows(CASE by WHEN 'unit' THEN $1 END) u ON u.unit = s.unit,
        LATERAL (SELECT CASE by WHEN 'unit' THEN u.row ELSE '' END) g(grp), LATERAL (
        (SELECT bucket AS day FROM rollup_day WHERE series = s.id AND bucket < today ORDER BY bucket LIMIT 1)
        UNION ALL
        (SELECT bucket FROM rollup_day WHERE series = s.id AND bucket < today ORDER BY bucket DESC LIMIT 1)
        UNION ALL
        (SELECT today FROM point WHERE series = s.id AND time >= today AND time <= known LIMIT 1)) x
    WHERE s.measure = ANY (covered) AND (units IS NULL OR s.unit = ANY (units)) GROUP BY 1;
END
$$;

-- Every leaf's value, in all in one (`by` = ''): one for each period; by unit: of the units of which something is known; by
-- a label: of the values found, and under `grp` NULL what all other values of it have. Where `value` is NULL `reason` says
-- why: a code of `services.readings.reasons` and what it names. A leaf that has no points is 0 where its sources reported
-- around that time.
CREATE OR REPLACE FUNCTION figure_leaves(root text, first date, last date, known timestamptz, bucket text, by text,
    wanted jsonb)
RETURNS TABLE (leaf integer, start timestamptz, grp text, value numeric, reason jsonb, origins text[])
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT * FROM figure_stated($1, $2, $3, known, bucket, by, wanted);
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT w.leaf, w.form, w.measure, w.chosen, w.detail, w.covered FROM figure_wanted(wanted) w WHERE w.form <> 'stated'
    ), period AS MATERIALIZED (
        SELECT p.start, p.stop, h.time > p.stop AND p.stop <> local_midnight(local_day(p.stop)) AS cut, h.time > p.start AS old
        FROM figure_periods($2, $3, known, bucket) p, horizon h
    ), found AS MATERIALIZED (
        SELECT * FROM figure_sums($1, $2, $3, known, bucket, by, wanted) WHERE EXISTS (SELECT FROM asked)
        UNION ALL
        SELECT a.leaf, f.* FROM asked a, figure_found($1, $2, $3, known, bucket, by, a.form, a.measure, a.chosen, a.detail) f
        WHERE a.form IN ('last', 'median')
    ), kept AS MATERIALIZED (
        SELECT f.*, a.form, a.measure, a.covered FROM found f JOIN asked a USING (leaf) JOIN period p USING (start)
        WHERE NOT p.cut AND NOT (p.old AND a.form = 'median')
    ), seen AS MATERIALIZED (  -- whose sources reported in the only period, as the points of a leaf show
        SELECT DISTINCT k.covered, CASE by WHEN 'unit' THEN k.grp ELSE '' END AS grp, k.start FROM kept k
        WHERE k.form IN ('sum', 'distinct') AND k.measure = ANY (k.covered) AND bucket IN ('whole', 'level')
    ), due AS MATERIALIZED (
        SELECT a.covered, count(*) FROM asked a, period p GROUP BY 1
    ), rows AS MATERIALIZED (  -- which units have all leaves that the same measures cover, in every period
        SELECT k.covered, k.grp FROM kept k WHERE by = 'unit' GROUP BY 1, 2
        HAVING count(*) = (SELECT d.count FROM due d WHERE d.covered = k.covered)
    ), span AS MATERIALIZED (
        SELECT c.covered, r.*
        FROM (SELECT DISTINCT a.covered FROM asked a WHERE by = 'unit' OR NOT EXISTS (
                SELECT FROM seen k WHERE k.covered = a.covered) AND EXISTS (
                SELECT FROM period p WHERE NOT EXISTS (SELECT FROM kept k WHERE k.leaf = a.leaf AND k.start = p.start))) c,
            (SELECT CASE count(*) WHEN 1 THEN min(p.start) END, min(p.stop) FROM period p) o(start, stop),
            figure_reported($1, by, c.covered, known, ARRAY(SELECT k.grp FROM rows k WHERE k.covered = c.covered
                UNION SELECT k.grp FROM seen k WHERE k.covered = c.covered), o.start, o.stop) r
        UNION ALL
        SELECT k.covered, k.grp, k.start, k.start FROM seen k
    ), cell AS (  -- where a value is wanted and none was found
        SELECT DISTINCT a.leaf, a.form, p.*, CASE by WHEN '' THEN '' END AS grp, s.first, s.last, k.leaf IS NOT NULL AS besides
        FROM asked a CROSS JOIN period p
            LEFT JOIN kept k ON k.leaf = a.leaf AND k.start = p.start LEFT JOIN span s ON s.covered = a.covered
        WHERE by <> 'unit' AND (by <> '' OR k.leaf IS NULL)
        UNION ALL
        SELECT a.leaf, a.form, p.*, s.grp, s.first, s.last, false FROM asked a CROSS JOIN period p JOIN span s ON s.covered = a.covered
            LEFT JOIN kept k ON k.leaf = a.leaf AND k.start = p.start AND k.grp = s.grp
        WHERE by = 'unit' AND k.leaf IS NULL AND NOT p.cut AND NOT (p.old AND a.form = 'median')
    )
    SELECT k.leaf, k.start, k.grp, k.value, NULL::jsonb, k.origins FROM kept k
    UNION ALL
    SELECT c.leaf, c.start, c.grp, CASE WHEN w.reason IS NULL THEN 0 END, w.reason, '{}'
    FROM cell c, LATERAL (SELECT CASE
        WHEN c.besides THEN CASE WHEN c.form IN ('last', 'median') THEN '["not_in_period"]'::jsonb END
        WHEN c.cut THEN '["whole_days"]'
        WHEN c.old AND c.form = 'median' THEN '["forgotten"]'
        WHEN c.first IS NULL THEN '["never"]'
        WHEN c.first >= c.stop THEN jsonb_build_array('before', local_day(c.first))
        WHEN c.form IN ('last', 'median') THEN '["not_in_period"]'
        WHEN c.form <> 'stock' AND c.last + interval '1 day' <= c.start THEN jsonb_build_array('after', local_day(c.last))
        END) w(reason);
END
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

-- The targets in force for figures of units (`all`: the whole locality) on days, as they were set by a moment: the unit's
-- own, else that of the nearest unit above it, of several the one that began last. The whole locality has those of a unit
-- that is in no other.
CREATE OR REPLACE FUNCTION figure_targets(wanted text[], places text[], days date[], known timestamptz)
RETURNS TABLE (indicator text, place text, day date, target numeric) LANGUAGE sql STABLE AS $$
    WITH latest AS MATERIALIZED (
        SELECT DISTINCT ON (s.indicator, s.unit, s.first, s.last) s.indicator, s.unit, s.first, s.last, s.target
        FROM statement s
        WHERE s.kind = 'target' AND s.indicator = ANY (wanted) AND s.published <= known AND (s.until > known) IS NOT FALSE
        ORDER BY s.indicator, s.unit, s.first, s.last, s.place DESC
    )
    SELECT DISTINCT ON (t.indicator, p.place, d.day) t.indicator, p.place, d.day, t.target
    FROM latest t LEFT JOIN unit own ON own.code = t.unit, unnest(days) d(day), unnest(places) p(place)
        LEFT JOIN unit here ON here.code = p.place
    WHERE t.target IS NOT NULL AND d.day BETWEEN t.first AND t.last
        AND CASE p.place WHEN 'all' THEN own.above = '{}' ELSE t.unit = p.place OR t.unit = ANY (here.above) END
    ORDER BY t.indicator, p.place, d.day, array_position(here.above, t.unit) NULLS FIRST, t.first DESC, t.last
$$;

-- Leaves that are statements: of each unit the statement in force, of these the one of the group's own unit, or those of its
-- units for which none above them speaks, put together as `over` says (`sum`, `mean`; `none`: only where it is one). A
-- target may be asked of days that have not begun.
CREATE OR REPLACE FUNCTION figure_stated(root text, first date, last date, known timestamptz, bucket text, by text,
    wanted jsonb)
RETURNS TABLE (leaf integer, start timestamptz, grp text, value numeric, reason jsonb, origins text[])
LANGUAGE sql STABLE AS $$
    WITH asked AS MATERIALIZED (
        SELECT leaf, measure AS indicator, detail AS part, over FROM figure_wanted(wanted) WHERE form = 'stated'
    ), latest AS MATERIALIZED (
        SELECT DISTINCT ON (s.kind, s.indicator, s.unit, s.first, s.last) s.*, u.row, unit.above
        FROM statement s JOIN unit_scope u ON u.root = $1 AND u.unit = s.unit JOIN unit ON unit.code = s.unit
        WHERE s.indicator = ANY (ARRAY(SELECT indicator FROM asked)) AND s.basis = 'table' AND s.published <= known
            AND (s.until > known) IS NOT FALSE
        ORDER BY s.kind, s.indicator, s.unit, s.first, s.last, s.place DESC
    ), period AS MATERIALIZED (
        SELECT * FROM figure_periods($2, $3, greatest(known, local_midnight($2)), bucket)
    ), current AS MATERIALIZED (
        SELECT DISTINCT ON (a.leaf, p.start, s.unit) a.leaf, a.over, p.start, s.unit, s.origin, s.above, v.said,
            CASE by WHEN 'unit' THEN s.row ELSE '' END AS grp, CASE by WHEN 'unit' THEN s.row ELSE $1 END AS speaker
        FROM asked a JOIN latest s ON s.indicator = a.indicator
            AND s.kind = CASE a.part WHEN 'target' THEN 'target' ELSE 'statistic' END,
            LATERAL (SELECT CASE a.part WHEN 'value' THEN s.value WHEN 'total' THEN s.total WHEN 'target' THEN s.target
                WHEN 'reached' THEN s.reached::integer ELSE exactly(s.value * 100, s.total) END) v(said), period p
        WHERE v.said IS NOT NULL AND (bucket = 'level' OR s.last >= p.first)
            AND CASE s.kind WHEN 'target' THEN s.first ELSE s.last END <= p.last
        ORDER BY a.leaf, p.start, s.unit, s.last DESC, s.first DESC
    ), together AS (
        SELECT c.leaf, c.over, c.start, c.grp, sum(c.said) AS sum, count(*) AS count, array_agg(DISTINCT c.origin) AS origins
        FROM current c
        WHERE NOT EXISTS (
            SELECT FROM current o WHERE o.leaf = c.leaf AND o.start = c.start AND o.grp = c.grp AND o.unit <> c.unit
                AND (o.unit = o.speaker OR c.unit <> c.speaker AND o.unit = ANY (c.above)))
        GROUP BY 1, 2, 3, 4
    )
    SELECT t.leaf, t.start, t.grp,
        CASE WHEN t.count = 1 OR t.over = 'sum' THEN t.sum WHEN t.over = 'mean' THEN exactly(t.sum, t.count) END,
        CASE WHEN t.count > 1 AND t.over IS NULL THEN jsonb_build_array('not_added', t.count) END, t.origins
    FROM together t
    UNION ALL
    SELECT a.leaf, p.start, '', NULL, '["not_stated"]', '{}' FROM asked a, period p
    WHERE by = '' AND NOT EXISTS (SELECT FROM together t WHERE t.leaf = a.leaf AND t.start = p.start)
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

-- The number of a report as Open311 tells it. One that the door of Open311 gave means nothing elsewhere and is told as it
-- is; of another the register is left, with the day and what only this database makes of the number by its secret.
CREATE OR REPLACE FUNCTION open311_id(secret text, id text, opened_at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN id ~ '{open311}' THEN id ELSE coalesce(substring(id FROM '^{register}'), '')
        || to_char(opened_at AT TIME ZONE interval '7 hours', 'YYMMDD') || '-'
        || upper(left(encode(sha256(convert_to(secret || id, 'UTF8')), 'hex'), 12)) END
$$;

-- How far two places lie apart, for the few kilometres of a locality.
CREATE OR REPLACE FUNCTION metres_between(latitude float8, longitude float8, of_latitude float8, of_longitude float8)
RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 111195 * sqrt((latitude - of_latitude) ^ 2 + ((longitude - of_longitude) * cosd(of_latitude)) ^ 2)
$$;

-- Reports as Open311 tells of them: nothing in words, the place to about a hundred metres. Whoever asks for an id knows
-- the day by it.
CREATE OR REPLACE VIEW open311_request AS
SELECT open311_id((SELECT value FROM open311_secret), e.id, e.opened_at) AS id,
    e.state ->> 'category' AS category, e.state ->> 'channel' AS channel, e.state ->> 'priority' AS priority,
    e.status, e.unit, coalesce(e.state ->> 'received_by', e.unit) AS received_by, e.origin, e.opened_at, e.due_at, e.ended_at,
    greatest(e.opened_at, (e.facts -> -1 ->> 0)::timestamptz) AS updated_at,
    round((e.state ->> 'latitude')::numeric, 3)::float8 AS latitude,
    round((e.state ->> 'longitude')::numeric, 3)::float8 AS longitude,
    open311_id((SELECT value FROM open311_secret), m.id, m.opened_at) AS duplicate_of
FROM entity e LEFT JOIN LATERAL (
    SELECT m.id, m.opened_at FROM entity m
    WHERE m.kind = 'report' AND m.id IN (e.state ->> 'duplicate_of', (e.state ->> 'duplicate_of') || '@' || e.unit)
    ORDER BY length(m.id) DESC LIMIT 1) m ON true
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

-- A name as it is compared with another: in small letters, its accents composed, with single spaces.
CREATE OR REPLACE FUNCTION plain_name(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(normalize(regexp_replace(btrim(name), '\s+', ' ', 'g')))
$$;

-- Who may hold an alarm: accounts of the board, as services without a right to their passwords see them. `sees`: the
-- units that those bounded to `units` see.
CREATE OR REPLACE VIEW person AS
SELECT name, full_name, role, units, disabled,
    ARRAY(SELECT s.unit FROM unit_scope s WHERE s.root = ANY (a.units)) AS sees
FROM account a;

-- By which names accounts are called: by their own, and in full, where that is no other's own.
CREATE OR REPLACE VIEW person_called AS
SELECT plain_name(name) AS called, name FROM account
UNION
SELECT plain_name(full_name), name FROM account a
WHERE NOT EXISTS (SELECT FROM account o WHERE plain_name(o.name) = plain_name(a.full_name));

-- Why an account, as `person` has it, can see to no alarm of a unit; null: it can.
CREATE OR REPLACE FUNCTION why_no_holder(disabled boolean, role text, units text[], sees text[], unit text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN disabled THEN 'is disabled'
        WHEN role NOT IN ('operator', 'supervisor', 'admin') THEN 'is a ' || role || ' and acts on no alarms'
        WHEN units <> '{}' AND unit <> ALL (sees)
            THEN 'sees ' || array_to_string(units, ', ') || ' alone, and it is about ' || unit END
$$;

-- Active alarms whose holder, who was given it or else acknowledged it, can see to it no more: nobody does.
CREATE OR REPLACE VIEW alarm_orphan AS
SELECT alarm, person, why FROM (
    SELECT a.id AS alarm, p.name AS person, w.why, bool_and(w.why IS NOT NULL) OVER (PARTITION BY a.id) AS nobody
    FROM alarm a JOIN person_called c ON c.called = plain_name(coalesce(a.assignee, a.acknowledged_by))
        JOIN person p ON p.name = c.name, why_no_holder(p.disabled, p.role, p.units, p.sees, a.unit) w(why)
    WHERE a.cleared_at IS NULL) held
WHERE nobody;

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

-- What the board puts beside a number in a link, to know its own word again.
CREATE OR REPLACE FUNCTION link_seal(said text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT left(encode(sha256(convert_to(value || said || value, 'UTF8')), 'hex'), 24) FROM link_secret
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

REVOKE EXECUTE ON FUNCTION note_key_use, link_seal, move_horizon, forget_rows, forget_log, forget_series, forget_entities,
    log_chunk_in_rows, compress_log FROM PUBLIC;

-- Which text the others were made from.
CREATE OR REPLACE FUNCTION definitions() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT '{digest}' $$;
