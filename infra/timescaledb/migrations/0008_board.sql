-- Who may enter the board, who is in it, what they have put aside, and what was done there.

-- Passwords are argon2 hashes.
CREATE TABLE account (
    name       text PRIMARY KEY,
    full_name  text NOT NULL,
    role       text NOT NULL CHECK (role IN ('viewer', 'operator', 'supervisor', 'admin')),
    units      text[] NOT NULL DEFAULT '{}',
    password   text,
    subject    text UNIQUE,
    by_groups  boolean NOT NULL DEFAULT false,
    disabled   boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    seen_at    timestamptz
);
COMMENT ON COLUMN account.units IS 'the units, with all below them, whose cases the account sees; empty: of all';
COMMENT ON COLUMN account.subject IS 'the identity at the OpenID provider; null: enters with a password';
COMMENT ON COLUMN account.by_groups IS 'role and units follow the groups at the provider, and without such a group there is no way in';

-- A session is known by the digest of its token.
CREATE TABLE board_session (
    token      text PRIMARY KEY,
    account    text NOT NULL,
    csrf       text NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL
);
CREATE INDEX board_session_account ON board_session (account);

CREATE TABLE saved_filter (
    account text NOT NULL,
    name    text NOT NULL,
    query   text NOT NULL,
    PRIMARY KEY (account, name)
);

-- Every action, only ever added to.
CREATE TABLE audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    by      text NOT NULL,
    action  text NOT NULL,
    subject text NOT NULL,
    detail  jsonb NOT NULL,
    address text NOT NULL
);
COMMENT ON COLUMN audit.by IS 'the account, or cli:<user of the machine>; empty: nobody that is known';
COMMENT ON COLUMN audit.address IS 'from where; empty: on the machine itself';
CREATE INDEX audit_subject ON audit (subject, id);

-- What of it the broker does not have yet.
CREATE TABLE audit_waiting (audit bigint PRIMARY KEY);
