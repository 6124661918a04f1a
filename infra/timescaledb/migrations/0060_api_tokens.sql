-- A token opens the read API for a program, in the name of an account; it is known by its digest.
CREATE TABLE api_token (
    digest     text PRIMARY KEY,
    account    text NOT NULL,
    name       text NOT NULL,
    role       text NOT NULL CHECK (role IN ('public', 'viewer', 'operator', 'supervisor', 'admin')),
    units      text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    seen_at    timestamptz,
    UNIQUE (account, name)
);
COMMENT ON COLUMN api_token.role IS 'at most that of the account: the lower of both counts';
COMMENT ON COLUMN api_token.units IS 'of the account''s units those that it is bounded to; empty: the account''s';
