-- Sums by unit: of a measure with many labels most figures ask few, so the series of a unit that differ in no label that
-- is asked are summed together, under the first of them (`summed_as`; none where that
-- brings nothing), which has the labels that are asked (`asked`).
CREATE TABLE summed_labels (measure text PRIMARY KEY, labels text[] NOT NULL);
ALTER TABLE series ADD COLUMN summed_as integer, ADD COLUMN asked jsonb;
CREATE INDEX series_summed ON series (measure, unit) WHERE id = summed_as;
CREATE FUNCTION find_sum() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;  -- see definitions.sql
CREATE TRIGGER find_sum BEFORE INSERT ON series FOR EACH ROW EXECUTE FUNCTION find_sum();
CREATE TABLE rollup_unit_month (LIKE rollup_month INCLUDING ALL) WITH (fillfactor = 70);

DROP FUNCTION figure_measured(text, date, date, timestamptz, text, text, text, text, jsonb, text, jsonb);
DROP FUNCTION figure_found(text, date, date, timestamptz, text, text, text, text, jsonb, text);
DROP FUNCTION figure_stated(text, date, date, timestamptz, text, text, text, text, text);
DROP FUNCTION figure_reported(text, text, text[], timestamptz);
DROP FUNCTION figure_parts(integer[], timestamptz, timestamptz, boolean);
DROP FUNCTION figure_series(text, text, text, jsonb);
DROP FUNCTION figure_start(text, timestamptz, timestamptz);
