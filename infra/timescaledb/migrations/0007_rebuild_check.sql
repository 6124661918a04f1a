-- Every comparison of the live rows with a fold of the log, and how many rows differed; 0 is as it should be.
CREATE TABLE rebuild_check (
    finished_at timestamptz PRIMARY KEY,
    differences bigint NOT NULL
);
