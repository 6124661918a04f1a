-- What tells the board's own word in the link of a figure from anybody's, see the function link_seal; no role reads it.
CREATE TABLE link_secret (value text NOT NULL);
INSERT INTO link_secret VALUES (gen_random_uuid()::text || gen_random_uuid()::text);
