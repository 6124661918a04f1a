-- What one shift leaves to the next, as it was when it was handed over on the board.
CREATE TABLE shift_handover (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    by       text NOT NULL,
    units    text[] NOT NULL,
    note     text NOT NULL,
    open     jsonb NOT NULL,
    taken_at timestamptz,
    taken_by text,
    CHECK ((taken_at IS NULL) = (taken_by IS NULL))
);
COMMENT ON COLUMN shift_handover.units IS 'what who handed over is bounded to; empty: all units';
