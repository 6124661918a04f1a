-- A key that signs its requests: its secret is made of the centre's own secret and of chance that is kept here, so the
-- emitters make it anew to verify, and the database alone signs nothing.
ALTER TABLE emitter_key ADD COLUMN signed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN emitter_key.signed IS 'opens nothing by its secret: each request over HTTP is signed with it';
ALTER TABLE emitter_secret ADD COLUMN salt text;
COMMENT ON COLUMN emitter_secret.salt IS 'of a key that signs: what its secret is made of, with the centre''s own';
