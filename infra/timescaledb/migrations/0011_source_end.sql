-- Which sources a person has said to have ended for good. What is recorded of one later takes that back by itself.
CREATE TABLE source_end (
    source text PRIMARY KEY,
    at     timestamptz NOT NULL,
    by     text NOT NULL,
    why    text NOT NULL
);
