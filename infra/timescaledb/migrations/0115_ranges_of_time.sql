-- Where in a table a day lies: a few bytes for each 32 pages, so that a day without anything costs nothing to read,
-- however many series are asked for.

CREATE INDEX rollup_day_bucket ON rollup_day USING brin (bucket) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX point_time ON point USING brin (time) WITH (pages_per_range = 32, autosummarize = on);
