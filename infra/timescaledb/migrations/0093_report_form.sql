-- Issues are kept of other forms than the month's report too, each form's by itself.
ALTER TABLE report_issue ADD COLUMN form text NOT NULL DEFAULT '';
COMMENT ON COLUMN report_issue.form IS 'the name of its form in the file of words; empty: the whole report';
