-- What the board has still to publish, as it will be sent: laid down with the deed itself, gone once the broker has it.
CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject    text NOT NULL,
    message_id text NOT NULL,
    body       bytea NOT NULL
);
COMMENT ON COLUMN outbox.message_id IS 'the same with each attempt, so that the broker and the aggregator take it once';

-- The audit goes the same way.
INSERT INTO outbox (subject, message_id, body)
SELECT 'ioc.alerts.audit.' || action, 'audit-' || id || '-' || extract(epoch FROM at),
    convert_to(to_jsonb(a)::text, 'UTF8')
FROM audit_waiting w JOIN audit a ON a.id = w.audit ORDER BY id;
DROP TABLE audit_waiting;
