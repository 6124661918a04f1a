-- What the board says is published where the centre's own programs alone may. Of what was recorded before this moment the
-- aggregator asks that of nobody; what still waits here to be published goes there.
UPDATE outbox SET subject = subject || '._centre'
WHERE subject LIKE 'ioc.events.%' AND convert_from(body, 'UTF8')::json ->> 'source' = '/board';
