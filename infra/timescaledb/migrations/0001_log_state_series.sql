-- The log of events, the state folded from it, and the series of points with their rollups.

-- Identity and content of every stored event. Not a hypertable: a repeated id with another time must be met too.
CREATE TABLE event_key (
    key    uuid PRIMARY KEY,
    digest uuid NOT NULL,
    time   timestamptz NOT NULL
);

-- The append-only truth. `time` is when it happened, `recorded` when the broker had it on disk.
CREATE TABLE event (
    time      timestamptz NOT NULL,
    key       uuid NOT NULL,
    type      text NOT NULL,
    unit      text NOT NULL,
    origin    text NOT NULL,
    shiftdays integer NOT NULL,
    source    text NOT NULL,
    id        text NOT NULL,
    recorded  timestamptz NOT NULL,
    data      jsonb NOT NULL,
    PRIMARY KEY (time, key)
);
SELECT create_hypertable('event', 'time', chunk_time_interval => interval '30 days', create_default_indexes => false);

-- One row per dossier, payment, report, …: its facts (the set of its events) and what the fold makes of them.
CREATE TABLE entity (
    kind      text NOT NULL,
    id        text NOT NULL,
    version   integer NOT NULL,
    unit      text NOT NULL,
    origin    text NOT NULL,
    status    text NOT NULL,
    opened_at timestamptz,
    due_at    timestamptz,
    ended_at  timestamptz,
    notice_at timestamptz,
    state     jsonb NOT NULL,
    facts     jsonb NOT NULL,
    PRIMARY KEY (kind, id)
) WITH (fillfactor = 70);
CREATE INDEX entity_notice ON entity (notice_at) WHERE notice_at IS NOT NULL;
CREATE INDEX entity_open ON entity (kind, unit, due_at) WHERE ended_at IS NULL;
CREATE INDEX entity_statistic ON entity ((state ->> 'indicator'), unit) WHERE kind IN ('statistic', 'target');

CREATE TABLE series (
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    measure text NOT NULL,
    unit    text NOT NULL,
    origin  text NOT NULL,
    labels  jsonb NOT NULL,
    UNIQUE (measure, unit, origin, labels)
);

-- Every contribution to a series; `key` is the event that justifies it.
CREATE TABLE point (
    series integer NOT NULL,
    time   timestamptz NOT NULL,
    key    uuid NOT NULL,
    value  numeric NOT NULL,
    PRIMARY KEY (series, time, key)
);
SELECT create_hypertable('point', 'time', chunk_time_interval => interval '30 days', create_default_indexes => false);

-- Sums of points by hour, and by local day (a bucket is the instant at which the day begins in Viet Nam).
CREATE TABLE rollup_hour (
    series integer NOT NULL,
    bucket timestamptz NOT NULL,
    count  bigint NOT NULL,
    sum    numeric NOT NULL,
    min    numeric NOT NULL,
    max    numeric NOT NULL,
    PRIMARY KEY (series, bucket)
) WITH (fillfactor = 70);
SELECT create_hypertable('rollup_hour', 'bucket', chunk_time_interval => interval '90 days', create_default_indexes => false);
CREATE TABLE rollup_day (LIKE rollup_hour INCLUDING ALL) WITH (fillfactor = 70);
SELECT create_hypertable('rollup_day', 'bucket', chunk_time_interval => interval '365 days', create_default_indexes => false);

-- Freshness: what each source sent last.
CREATE TABLE source (
    source        text NOT NULL,
    system        text NOT NULL,
    events        bigint NOT NULL,
    last_time     timestamptz NOT NULL,
    last_recorded timestamptz NOT NULL,
    PRIMARY KEY (source, system)
);

-- Locked in share mode by every batch, exclusively by one that changes the calendar (which refolds what is open).
CREATE TABLE calendar_version (version bigint NOT NULL);
INSERT INTO calendar_version VALUES (0);

-- The version of the folds that state, series and rollups were made with; another one means: fold the log anew.
CREATE TABLE fold_version (version text NOT NULL);
INSERT INTO fold_version VALUES ('');

-- The stream position known to be stored, for a consumer that has to be made anew.
CREATE TABLE position (
    consumer text PRIMARY KEY,
    seq      bigint NOT NULL
);
