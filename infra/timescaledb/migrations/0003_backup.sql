-- Every completed backup; `SELECT now() - max(finished_at) FROM backup` says how much could be lost now.
CREATE TABLE backup (
    finished_at timestamptz PRIMARY KEY,
    folder      text NOT NULL,
    bytes       bigint NOT NULL,
    seconds     numeric NOT NULL
);
