-- Retention: what lies before the horizon is forgotten, but for the daily rollups and the state that readings need.
-- What needs the owner's rights is a function; who may only call it can forget nothing younger than the horizon.

-- A local midnight. No event before it is accepted any more, and no figure of a day before it changes.
CREATE TABLE horizon (time timestamptz NOT NULL);
INSERT INTO horizon VALUES ('-infinity');

-- What each source had sent of what the log no longer holds: its counters rest on this and on the log.
CREATE TABLE source_base (
    source        text NOT NULL,
    type          text NOT NULL,
    events        bigint NOT NULL,
    last_time     timestamptz NOT NULL,
    last_recorded timestamptz NOT NULL,
    PRIMARY KEY (source, type)
);

-- From now on nothing before `until` is accepted: batches in work are waited for, later ones see the new version.
-- The lock on the table keeps a second upkeep out, and waits for a fold of the whole log; aggregators do not mind it.
CREATE FUNCTION move_horizon(until timestamptz) RETURNS void
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
CREATE FUNCTION forget_rows(hypertable text, time_column text, edge timestamptz) RETURNS void
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
CREATE FUNCTION forget_log() RETURNS bigint
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

-- Points and hours before the horizon; the days stay.
CREATE FUNCTION forget_series() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    edge timestamptz;
BEGIN
    LOCK TABLE horizon IN SHARE UPDATE EXCLUSIVE MODE;
    SELECT time INTO STRICT edge FROM horizon;
    PERFORM forget_rows('rollup_hour', 'bucket', edge);
    PERFORM forget_rows('point', 'time', edge);
END
$$;

-- Entities that ended (or never began) before the horizon and of which nothing was heard since, but for `kept` kinds.
-- One in an aggregator's hands is left for the next time, so nobody ever waits in a circle.
CREATE FUNCTION forget_entities(kept text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    edge timestamptz;
    gone bigint;
BEGIN
    LOCK TABLE horizon IN SHARE UPDATE EXCLUSIVE MODE;
    SELECT time INTO STRICT edge FROM horizon;
    DELETE FROM entity e USING (
        SELECT kind, id FROM entity
        WHERE kind <> ALL (kept) AND (ended_at < edge OR opened_at IS NULL) AND (facts -> -1 ->> 0)::timestamptz < edge
        FOR UPDATE SKIP LOCKED
    ) old WHERE e.kind = old.kind AND e.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

-- Turns the oldest chunk of the log that ends before `until` and is still kept in rows into columns; false: there is
-- none. Only the community edition can; the Apache edition passes by. The log alone is compressed, since it is only
-- ever added to: rollups are locked row by row and points taken back by key, which columns do badly or not at all.
CREATE FUNCTION compress_log(until timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    chunk regclass;
BEGIN
    IF current_setting('timescaledb.license') <> 'timescale' THEN
        RETURN false;
    END IF;
    IF NOT (SELECT compression_enabled FROM timescaledb_information.hypertables WHERE hypertable_name = 'event') THEN
        ALTER TABLE event SET (
            timescaledb.compress, timescaledb.compress_segmentby = 'type', timescaledb.compress_orderby = 'time, key'
        );
    END IF;
    SELECT format('%I.%I', chunk_schema, chunk_name)::regclass INTO chunk FROM timescaledb_information.chunks
    WHERE hypertable_name = 'event' AND NOT is_compressed AND range_end <= until ORDER BY range_start LIMIT 1;
    IF chunk IS NULL THEN
        RETURN false;
    END IF;
    PERFORM compress_chunk(chunk);
    RETURN true;
END
$$;

REVOKE EXECUTE ON FUNCTION move_horizon, forget_rows, forget_log, forget_series, forget_entities, compress_log FROM PUBLIC;
