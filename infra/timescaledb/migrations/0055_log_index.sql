-- The log's own index, without uniqueness: `event_key` says what is stored already. A step of its own, since readers go
-- on while it is made.
CREATE INDEX event_time_key ON event (time, key);
