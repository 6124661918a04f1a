-- What became of each finding, step by step, so that it can be said as of any moment; a row of `finding` says what it is.
CREATE TABLE finding_step (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    finding text NOT NULL REFERENCES finding ON UPDATE CASCADE ON DELETE CASCADE,
    at      timestamptz NOT NULL,
    step    text NOT NULL CHECK (step IN ('seen', 'taken', 'resolved', 'gone')),
    by      text NOT NULL DEFAULT '',
    note    text
);
COMMENT ON COLUMN finding_step.step IS
    'seen: for the first time, again, or with other sides after it was resolved; gone: found no more';
CREATE INDEX finding_step_finding ON finding_step (finding);

INSERT INTO finding_step (finding, at, step, by, note)
SELECT key, t.at, t.step, t.by, t.note FROM finding CROSS JOIN LATERAL (VALUES
    (first_seen, 'seen', '', NULL),
    (taken_at, 'taken', taken_by, CASE WHEN resolved_at IS NULL THEN note END),
    (resolved_at, 'resolved', resolved_by, note),
    (gone_at, 'gone', '', NULL)
) AS t(at, step, by, note) WHERE t.at IS NOT NULL ORDER BY t.at;

ALTER TABLE finding DROP COLUMN first_seen, DROP COLUMN taken_by, DROP COLUMN taken_at, DROP COLUMN resolved_by,
    DROP COLUMN note;
COMMENT ON COLUMN finding.resolved_at IS 'while it stays resolved; who did, and how, is a step';
