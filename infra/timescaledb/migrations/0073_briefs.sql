-- The brief of a morning, for each who gets it: as it was made, so that it is the same however often it is tried.
CREATE TABLE brief (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL,
    day     date NOT NULL,
    person  text NOT NULL,
    made_at timestamptz NOT NULL,
    title   text NOT NULL,
    body    text NOT NULL,
    state   text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'sending', 'sent', 'dropped')),
    try_at  timestamptz NOT NULL,
    tries   integer NOT NULL DEFAULT 0,
    repeat  boolean NOT NULL DEFAULT false,
    sent_at timestamptz,
    UNIQUE (name, day, person)
);
COMMENT ON COLUMN brief.name IS 'of the brief, as the table of routes names it';
COMMENT ON COLUMN brief.repeat IS 'it may have been received before';
CREATE INDEX brief_open ON brief (try_at) WHERE state IN ('planned', 'sending');
