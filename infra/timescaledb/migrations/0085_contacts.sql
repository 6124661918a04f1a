-- Whom to call about a unit's cases, and what procedures are called: kept by administrators on the board.
CREATE TABLE unit_contact (
    unit       text PRIMARY KEY,
    officer    text NOT NULL,
    phone      text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);
COMMENT ON TABLE unit_contact IS 'staff at work, no citizens: an office phone and who answers for late cases';

CREATE TABLE procedure_name (
    code       text PRIMARY KEY,
    name       text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);
