-- Findings beside what they are: since when each was seen, who took it, how it was resolved. What is found is read anew
-- each time; a row outlives it.
CREATE TABLE finding (
    key         text PRIMARY KEY,
    code        text NOT NULL,
    severity    text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    unit        text,
    vi          text NOT NULL,
    en          text NOT NULL,
    sides       text NOT NULL,
    first_seen  timestamptz NOT NULL,
    gone_at     timestamptz,
    taken_by    text,
    taken_at    timestamptz,
    resolved_by text,
    resolved_at timestamptz,
    note        text
);
COMMENT ON COLUMN finding.key IS 'what is compared, where, of which days; of a single case its event too';
COMMENT ON COLUMN finding.sides IS 'what did not agree; resolved it stays so until that is something else';
COMMENT ON COLUMN finding.gone_at IS 'since when it is not found any more';
