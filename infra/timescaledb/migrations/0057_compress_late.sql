-- Late events lie in rows beside a chunk's columns; such a chunk is taken again.
DROP FUNCTION compress_log(timestamptz);

-- The oldest chunk of the log after `since` that ended before `until` and holds rows: it was never turned into columns,
-- or took in late events since (bits of its status: 1 columns, 2 and 8 rows beside them; 4: frozen by an operator).
CREATE FUNCTION log_chunk_in_rows(until timestamptz, since timestamptz, OUT chunk regclass, OUT begins timestamptz)
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
CREATE FUNCTION compress_log(until timestamptz, since timestamptz) RETURNS timestamptz
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

REVOKE EXECUTE ON FUNCTION log_chunk_in_rows, compress_log FROM PUBLIC;
