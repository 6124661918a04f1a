-- Alarms, what was done about each of them, and who is told of it. The notifier is the only one that writes here.

-- While one is active there is no second of the same originator and type: raising it again refreshes it.
CREATE TABLE alarm (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    way             text NOT NULL CHECK (way IN ('event', 'rule', 'own')),
    originator      text NOT NULL,
    type            text NOT NULL,
    severity        text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    system          text NOT NULL,
    unit            text NOT NULL,
    origin          text NOT NULL,
    vi              text NOT NULL,
    en              text NOT NULL,
    do_vi           text NOT NULL,
    do_en           text NOT NULL,
    dashboard       text NOT NULL,
    kind            text,
    entity          text,
    stage           text,
    due_at          timestamptz,
    raised_at       timestamptz NOT NULL,
    refreshed_at    timestamptz NOT NULL,
    times           integer NOT NULL DEFAULT 1,
    acknowledged_at timestamptz,
    acknowledged_by text,
    assignee        text,
    deadline        timestamptz,
    cleared_at      timestamptz,
    cleared_by      text,
    since           timestamptz NOT NULL,
    next_at         timestamptz
) WITH (fillfactor = 70);
COMMENT ON COLUMN alarm.originator IS 'what it is about: an entity, or the labels that tell an alert apart';
COMMENT ON COLUMN alarm.kind IS 'with entity (and stage, due_at): the thing whose folded state says when it is over; null for others';
COMMENT ON COLUMN alarm.since IS 'when the escalation under way began: raised, or a deadline passed';
COMMENT ON COLUMN alarm.next_at IS 'when the next step of the escalation must be looked for; null: none is to come';
CREATE UNIQUE INDEX alarm_active ON alarm (originator, type) WHERE cleared_at IS NULL;
CREATE INDEX alarm_about ON alarm (originator, type, due_at);
CREATE INDEX alarm_next ON alarm (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX alarm_raised ON alarm (raised_at);

-- The history: only ever added to. Each step is published on the stream ALERTS, in this order.
CREATE TABLE alarm_step (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alarm bigint NOT NULL,
    at    timestamptz NOT NULL,
    step  text NOT NULL,
    by    text NOT NULL,
    note  text NOT NULL
);
CREATE INDEX alarm_step_alarm ON alarm_step (alarm, id);

-- The last step that the broker has.
CREATE TABLE alarm_published (step bigint NOT NULL);
INSERT INTO alarm_published VALUES (0);

-- What a person is to be told of an alarm. Rows sent together bear one message's number, and keep it until they are.
CREATE TABLE notification (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alarm    bigint NOT NULL,
    occasion text NOT NULL,
    person   text NOT NULL,
    digest   boolean NOT NULL,
    due_at   timestamptz NOT NULL,
    try_at   timestamptz NOT NULL,
    state    text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'sending', 'sent', 'dropped')),
    message  bigint,
    tries    integer NOT NULL DEFAULT 0,
    repeat   boolean NOT NULL DEFAULT false,
    sent_at  timestamptz,
    UNIQUE (alarm, occasion, person)
);
CREATE INDEX notification_open ON notification (try_at) WHERE state IN ('planned', 'sending');

-- For boards: codes are masked.
CREATE VIEW alarm_list AS
SELECT id,
       CASE WHEN cleared_at IS NOT NULL THEN 'cleared'
            WHEN acknowledged_at IS NULL THEN 'active'
            WHEN assignee IS NOT NULL THEN 'assigned'
            ELSE 'acknowledged' END AS status,
       severity, system, unit, type,
       CASE WHEN entity IS NULL THEN originator
            ELSE kind || ':' || masked(entity) || coalesce('/' || stage, '') END AS originator,
       origin, vi, en, dashboard, raised_at, refreshed_at, times,
       acknowledged_at, acknowledged_by, assignee, deadline, cleared_at, cleared_by
FROM alarm;
