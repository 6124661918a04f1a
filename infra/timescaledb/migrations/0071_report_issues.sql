-- Reports as they were issued: what each said, by which words, of which events, so that it can be made again and held
-- against what is known now. An issue is never changed; a corrected report is a further issue.
CREATE TABLE report_issue (
    id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit     text,
    first    date NOT NULL,
    last     date NOT NULL,
    as_of    timestamptz NOT NULL,
    made_at  timestamptz NOT NULL,
    made_by  text NOT NULL,
    inputs   text NOT NULL,
    hash     text NOT NULL,
    content  text NOT NULL,
    texts    text NOT NULL,
    corrects integer REFERENCES report_issue
);
COMMENT ON COLUMN report_issue.unit IS 'null: the whole locality';
COMMENT ON COLUMN report_issue.inputs IS 'number and combined keys of the events up to as_of, as SHA-256';
COMMENT ON COLUMN report_issue.hash IS 'SHA-256 of content, the tree as JSON';
COMMENT ON COLUMN report_issue.texts IS 'the words of the office that it was made with, as JSON';
