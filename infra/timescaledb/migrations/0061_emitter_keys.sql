-- Who may send events from outside: a key with its bounds, and the secrets that open it, known by their digests. A key
-- that was taken back keeps its row, so that nobody else can speak under its name or its source.
CREATE TABLE emitter_key (
    name       text PRIMARY KEY,
    source     text NOT NULL UNIQUE,
    systems    text[] NOT NULL CHECK (cardinality(systems) > 0),
    units      text[] NOT NULL DEFAULT '{}',
    rate       double precision NOT NULL CHECK (rate > 0),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    seen_at    timestamptz
);
COMMENT ON COLUMN emitter_key.source IS 'the events of this source, and of those below it, are this key''s alone';
COMMENT ON COLUMN emitter_key.units IS 'with all below them and all that they followed upon; empty: every unit';
COMMENT ON COLUMN emitter_key.rate IS 'events per second';

CREATE TABLE emitter_secret (
    digest     text PRIMARY KEY,
    key        text NOT NULL REFERENCES emitter_key,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
