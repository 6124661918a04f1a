-- A report that is late at several stages has one alarm in a unit, about the stage that was due last. What is active
-- about its earlier stages ends as it did.
UPDATE alarm SET originator = kind || ':' || entity || '/' || unit WHERE kind = 'report' AND id IN (
    SELECT id FROM alarm WHERE cleared_at IS NOT NULL
    UNION SELECT * FROM (
        SELECT DISTINCT ON (entity, unit, type, office) id FROM alarm WHERE kind = 'report' AND cleared_at IS NULL
        ORDER BY entity, unit, type, office, due_at DESC, id) active
);
