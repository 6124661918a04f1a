-- What an import says, however its file was saved: the same file in other bytes is the same import. Imports of before
-- have none, and are known by the bytes of their file.
ALTER TABLE import ADD COLUMN content text;
COMMENT ON COLUMN import.content IS 'BLAKE2b of the keys of all that it states, 16 bytes in hexadecimal';
