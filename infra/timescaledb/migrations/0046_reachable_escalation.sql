-- The next step of an escalation counts from when the one before could be read: sent, or first tried in vain.
ALTER TABLE notification ADD COLUMN failed_at timestamptz;
COMMENT ON COLUMN notification.failed_at IS 'when no channel took it for the first time; null: not tried, or sent at once';
