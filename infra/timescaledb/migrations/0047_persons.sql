-- Who may hold an alarm: accounts of the board, as services without a right to their passwords see them.
CREATE VIEW person AS
SELECT name, full_name, role, units, disabled FROM account;

-- Active alarms whose holder, who was given it or else acknowledged it, is disabled by now: nobody sees to them.
CREATE VIEW alarm_orphan AS
SELECT a.id AS alarm, p.name AS person
FROM alarm a JOIN account p
    ON p.disabled AND lower(normalize(coalesce(a.assignee, a.acknowledged_by))) IN (p.name, lower(normalize(p.full_name)))
WHERE a.cleared_at IS NULL;
