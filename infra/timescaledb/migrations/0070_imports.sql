-- Who imported which workbook, and which events it states: those that it sent and those that were known already. One
-- that was taken back keeps its row.
CREATE TABLE import (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,
    by           text NOT NULL,
    file         text NOT NULL,
    digest       text NOT NULL,
    template     text NOT NULL,
    units        text[] NOT NULL,
    systems      text[] NOT NULL,
    new          integer NOT NULL,
    revised      integer NOT NULL,
    known        integer NOT NULL,
    taken_back_at timestamptz,
    taken_back_by text
);
COMMENT ON COLUMN import.digest IS 'BLAKE2b of the file, 16 bytes in hexadecimal';

CREATE TABLE import_event (
    import bigint NOT NULL REFERENCES import,
    kind   text NOT NULL,
    entity text NOT NULL,
    key    uuid NOT NULL,
    sent   boolean NOT NULL,
    PRIMARY KEY (import, key)
);
CREATE INDEX import_event_key ON import_event (key);
COMMENT ON COLUMN import_event.sent IS 'whether this import sent it; else it was known';
