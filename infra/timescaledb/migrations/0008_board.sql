-- Who may enter the board, who is in it, and what they have put aside. Passwords are argon2 hashes, sessions' tokens digests.
CREATE TABLE account (
    name       text PRIMARY KEY,
    full_name  text NOT NULL,
    role       text NOT NULL CHECK (role IN ('viewer', 'operator', 'supervisor', 'admin')),
    units      text[] NOT NULL DEFAULT '{}',
    password   text,
    subject    text UNIQUE,
    disabled   boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL
);
COMMENT ON COLUMN account.units IS 'the units, with all below them, whose cases the account sees; empty: of all';
COMMENT ON COLUMN account.subject IS 'the identity at the OpenID provider; null: enters with a password';

CREATE TABLE board_session (
    token      text PRIMARY KEY,
    account    text NOT NULL REFERENCES account ON DELETE CASCADE,
    csrf       text NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL
);

CREATE TABLE saved_filter (
    account text NOT NULL REFERENCES account ON DELETE CASCADE,
    name    text NOT NULL,
    query   text NOT NULL,
    PRIMARY KEY (account, name)
);
