-- Numbers of reports as strangers may see them are made with a secret that no role reads; see the view open311_request.
CREATE TABLE open311_secret (value text NOT NULL);
INSERT INTO open311_secret VALUES (gen_random_uuid()::text || gen_random_uuid()::text);

-- Lists of reports are asked for by the time of receipt.
CREATE INDEX entity_report_received ON entity (opened_at) WHERE kind = 'report';
