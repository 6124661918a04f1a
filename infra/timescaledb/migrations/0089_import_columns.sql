-- What somebody answered of a workbook's columns on the board, by the mark of their header: asked once for each form.
CREATE TABLE import_columns (
    account text NOT NULL,
    header  text NOT NULL,
    answers jsonb NOT NULL,
    PRIMARY KEY (account, header)
);
