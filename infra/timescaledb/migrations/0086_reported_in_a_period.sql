-- It is asked of one period by now, see definitions.sql.
DROP FUNCTION IF EXISTS figure_reported(text, text, text[], timestamptz, text[]);
