ALTER TABLE alarm ADD COLUMN level text;
COMMENT ON COLUMN alarm.level IS 'how bad the incident or crisis is by itself, of which two levels are one severity; null: not known, or of none';
