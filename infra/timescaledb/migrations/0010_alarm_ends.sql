-- An alert that is said to be over is not over yet: whatever a dead Prometheus does not repeat is called so.
ALTER TABLE alarm ADD COLUMN ended_at timestamptz;
COMMENT ON COLUMN alarm.ended_at IS 'since when its alert is said to be over, which clears it once that is believed; null: it goes on, or is not of a rule';

-- Whether a person was reached since.
CREATE INDEX notification_sent ON notification (person, sent_at) WHERE sent_at IS NOT NULL;
