-- Numbers are unique within the office that gives them: where several gave one, the row of the number is the case of the
-- office that used it first, and each further case has a row `NUMBER@office`, changed together with it.
ALTER TABLE entity ADD COLUMN notes jsonb;
ALTER TABLE entity ADD COLUMN cases text[];
COMMENT ON COLUMN entity.notes IS 'what was told twice, otherwise or too late, or does not add up; null: nothing';
COMMENT ON COLUMN entity.cases IS 'the ids of the further cases under this number; null: there are none';
CREATE INDEX entity_noted ON entity (kind) WHERE notes IS NOT NULL;
CREATE INDEX entity_not_begun ON entity (kind) WHERE opened_at IS NULL;

-- The row of a number, or of `NUMBER@office`: its own where the number has several cases, else the number's. (An incident
-- that another office opened is another's; a notice about a report is published by whoever speaks for it, of what is
-- folded.)
CREATE FUNCTION case_row(kind text, id text) RETURNS SETOF entity LANGUAGE sql STABLE AS $$
    SELECT e.* FROM entity e WHERE e.kind = $1 AND (e.id = $2 OR e.id = split_part($2, '@', 1)
        AND ($1 = 'report' OR e.unit = split_part($2, '@', 2)))
    ORDER BY length(e.id) DESC LIMIT 1
$$;

-- An alarm about such a case says whose it is from the beginning, so that two offices' alarms are two.
ALTER TABLE alarm ADD COLUMN office text;
COMMENT ON COLUMN alarm.office IS 'whose case of the number `entity` it is about; null: the only one, or that of who used it first';
UPDATE alarm SET office = unit WHERE way = 'event' AND kind IN ('incident', 'crisis');
DROP INDEX alarm_active;
CREATE UNIQUE INDEX alarm_active ON alarm (originator, type, coalesce(office, '')) WHERE cleared_at IS NULL;
CREATE INDEX alarm_entity ON alarm (kind, entity) WHERE entity IS NOT NULL;

-- Cases of one number are forgotten together: what is left of a number must be all that is known of it.
CREATE OR REPLACE FUNCTION forget_entities(kept text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    edge timestamptz;
    gone bigint;
BEGIN
    LOCK TABLE horizon IN SHARE UPDATE EXCLUSIVE MODE;
    SELECT time INTO STRICT edge FROM horizon;
    DELETE FROM entity e USING (
        SELECT kind, id, cases FROM entity m
        WHERE kind <> ALL (kept) AND (ended_at < edge OR opened_at IS NULL) AND (facts -> -1 ->> 0)::timestamptz < edge
            AND id NOT LIKE '%@%'
            AND NOT EXISTS (
                SELECT FROM unnest(m.cases) further JOIN entity f ON f.kind = m.kind AND f.id = further
                WHERE NOT ((f.ended_at < edge OR f.opened_at IS NULL) AND (f.facts -> -1 ->> 0)::timestamptz < edge)
                    OR f.ended_at IS NULL AND f.opened_at IS NOT NULL)
        FOR UPDATE SKIP LOCKED
    ) old WHERE e.kind = old.kind AND (e.id = old.id OR e.id = ANY (old.cases));
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
