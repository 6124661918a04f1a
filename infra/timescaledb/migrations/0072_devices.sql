-- What each device last said of itself, so that a state that is repeated is no event; and the events that are still to be
-- published, as they will be sent, each laid down in the transaction of its change.
CREATE TABLE device_state (
    unit    text NOT NULL,
    device  text NOT NULL,
    kind    text NOT NULL,
    state   text NOT NULL,
    counter integer,
    at      timestamptz NOT NULL,
    PRIMARY KEY (unit, device)
);
COMMENT ON COLUMN device_state.at IS 'when it changed to this, as it says; what is older is no news';

CREATE TABLE device_outbox (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    body    bytea NOT NULL
);
