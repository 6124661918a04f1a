-- Messages that cannot be accepted while the quarantine takes nothing: where they lie in the stream of events, until
-- they can be laid there. Neither body nor reason is kept here.
CREATE TABLE refused (
    seq bigint NOT NULL,
    recorded timestamptz NOT NULL,
    code text NOT NULL,
    size bigint NOT NULL,
    digest text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seq, recorded)
);
COMMENT ON TABLE refused IS 'refused messages that wait outside the quarantine, which took nothing when they came';
COMMENT ON COLUMN refused.seq IS 'number in the stream EVENTS';
COMMENT ON COLUMN refused.recorded IS 'when the broker had it; with seq the message, also where the stream is made anew';
COMMENT ON COLUMN refused.digest IS 'BLAKE2b of the body, 16 bytes in hexadecimal';
