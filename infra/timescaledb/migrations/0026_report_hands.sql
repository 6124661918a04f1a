-- A report's levels are those of the unit that has it in hand, as the fold says them.
CREATE OR REPLACE VIEW report_list AS
SELECT masked(e.id) AS code, e.state ->> 'category' AS category, e.state ->> 'channel' AS channel,
    e.state ->> 'priority' AS priority, e.status, e.unit, u.name_vi AS unit_vi, u.name_en AS unit_en,
    e.state ->> 'to_unit' AS handled_by, e.origin, e.opened_at, e.due_at, e.ended_at, l.late_stages,
    round((e.state ->> 'latitude')::numeric, 3) AS latitude, round((e.state ->> 'longitude')::numeric, 3) AS longitude
FROM entity e LEFT JOIN unit u ON u.code = e.unit,
    LATERAL (
        SELECT coalesce(array_agg(v.said ->> 0 ORDER BY v.place) FILTER (WHERE (v.said ->> 1)::timestamptz <= now()), '{}')
            AS late_stages
        FROM jsonb_array_elements(e.state -> 'levels') WITH ORDINALITY v(said, place)
        WHERE e.ended_at IS NULL
    ) l
WHERE e.kind = 'report' AND e.opened_at <= now();
