-- What was erased on request: of which events, when, by whom and why; never what it was. The rows that stay of these
-- events hold nothing of a person, so this list can be kept beside a backup and applied to what that brings back.
CREATE TABLE erasure (
    id      uuid PRIMARY KEY,
    at      timestamptz NOT NULL,
    by      text NOT NULL,
    reason  text NOT NULL,
    kind    text,
    alias   text,
    digest  text NOT NULL,
    wanted  text,
    done_at timestamptz
);
COMMENT ON COLUMN erasure.kind IS 'of a whole case: its kind; null: of one event, whose case keeps its number';
COMMENT ON COLUMN erasure.alias IS 'what stands in place of the case''s number';
COMMENT ON COLUMN erasure.digest IS 'of the digests that the events had, BLAKE2b, 16 bytes in hexadecimal';
COMMENT ON COLUMN erasure.wanted IS 'the number, until the broker has erased it too';

CREATE TABLE erasure_event (
    key     uuid PRIMARY KEY,
    erasure uuid NOT NULL REFERENCES erasure
);
CREATE INDEX erasure_event_erasure ON erasure_event (erasure);
