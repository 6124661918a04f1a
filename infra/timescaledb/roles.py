"""The database `ioc` and the roles that may enter it, each with the least rights."""

from collections.abc import Callable
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infra.timescaledb import migrate

DATABASE = "ioc"
OWNER = "ioc_owner"
# Owner of the schema and its migrations, then one role for each service that enters the database.
ROLES = (
    OWNER, "ioc_aggregator", "ioc_deadlines", "ioc_emitters", "ioc_reader", "ioc_upkeep", "ioc_notifier", "ioc_grafana",
    "ioc_board",
)  # fmt: skip
# May copy and follow the whole database, and nothing else.
REPLICATION = "ioc_replication"
CONNECTIONS = {
    OWNER: 10, "ioc_aggregator": 16, "ioc_deadlines": 8, "ioc_emitters": 4, "ioc_reader": 30, "ioc_upkeep": 4,
    "ioc_notifier": 12, "ioc_grafana": 8, "ioc_board": 16,
}  # fmt: skip
"""How many connections a role may hold: two or three instances of its service, and never all that the server has."""
_PATIENT = {"idle_in_transaction_session_timeout": "10min", "temp_file_limit": "8GB"}
# Whoever writes SQL into a panel may ask for anything; it ends, and fills no disk.
_BRIEF = {
    "statement_timeout": "60s", "idle_in_transaction_session_timeout": "60s", "temp_file_limit": "1GB",
    "work_mem": "8MB", "default_transaction_read_only": "on",
}  # fmt: skip
SESSIONS: dict[str, dict[str, str]] = {
    OWNER: {}, **dict.fromkeys(ROLES[1:], _PATIENT), "ioc_grafana": _BRIEF,
}  # fmt: skip
"""What holds in a role's sessions. `temp_file_limit` can be set by a superuser alone, the others are a beginning."""
HARMFUL = (
    "lo_creat", "lo_create", "lo_from_bytea", "lo_put", "lo_open", "lowrite", "lo_truncate", "lo_truncate64",
    "lo_unlink", "lo_import", "lo_export", "pg_logical_emit_message", "pg_notify", "pg_export_snapshot",
    "pg_advisory_lock", "pg_advisory_lock_shared", "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared",
    "pg_try_advisory_lock", "pg_try_advisory_lock_shared", "pg_try_advisory_xact_lock",
    "pg_try_advisory_xact_lock_shared",
)  # fmt: skip
"""What PostgreSQL lets everybody call: large objects and messages of the log fill the disk, an advisory lock that is
held keeps a start or the notifier waiting."""
LOCKING = (OWNER, "ioc_aggregator", "ioc_notifier", "ioc_board")
"""The roles whose services take advisory locks."""
_ROLLUPS = ("rollup_day", "rollup_month", "rollup_unit_month")
_FOLDED = ("event_key", "event", "entity", "series", "point", *_ROLLUPS, "source", "position")
# Nothing here leads to a single file: lists are masked, series have closed labels.
_BOARDS = ("unit", "unit_scope", "dossier_list", "report_list", "feature_list", "statement", "alarm_list")
_FIGURES = ("unit", "unit_scope", "statement", "summed_labels")
_ALARMS = ("alarm", "alarm_step", "alarm_published", "notification")
_PERSONS = ("person", "person_called", "alarm_orphan")
_KEYS = ("emitter_key", "emitter_secret")
_OWNERS = ("emitter_key", "schema_migration")
_CONTACTS = ("unit_contact", "procedure_name")
_BOARD = ("account", "board_session", "api_token", "saved_filter", "outbox", *_CONTACTS)
_IMPORTS = ("import", "import_event")
_DEVICES = ("device_state", "device_outbox")
RIGHTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("ioc_aggregator", "SELECT", (*_FOLDED, "summed_labels", "calendar_version")),
    ("ioc_aggregator", "INSERT", _FOLDED),
    ("ioc_aggregator", "UPDATE", ("entity", *_ROLLUPS, "source", "position", "calendar_version")),
    ("ioc_aggregator", "DELETE", ("entity", "point", *_ROLLUPS, "position")),
    ("ioc_deadlines", "SELECT", ("entity", "calendar_version", "horizon")),
    ("ioc_reader", "SELECT", (*_FOLDED, *_FIGURES, "source_end", "calendar_version", "backup", "rebuild_check")),
    ("ioc_aggregator", "SELECT", ("horizon", "refused")),
    ("ioc_aggregator", "INSERT", ("refused",)),
    # To take a note out is to lock it first.
    ("ioc_aggregator", "UPDATE", ("refused",)),
    ("ioc_aggregator", "DELETE", ("refused",)),
    ("ioc_reader", "SELECT", ("horizon", "refused")),
    ("ioc_upkeep", "SELECT", ("horizon",)),
    ("ioc_emitters", "SELECT", (*_KEYS, "open311_request")),
    ("ioc_emitters", "SELECT", _DEVICES),
    ("ioc_emitters", "INSERT", (*_DEVICES, "report_photo")),
    ("ioc_emitters", "UPDATE", _DEVICES),
    ("ioc_emitters", "DELETE", ("device_outbox",)),
    ("ioc_aggregator", "SELECT", _OWNERS),
    ("ioc_notifier", "SELECT", _OWNERS),
    ("ioc_board", "SELECT", _KEYS),
    ("ioc_board", "INSERT", _KEYS),
    ("ioc_board", "UPDATE", _KEYS),
    ("ioc_board", "DELETE", ("emitter_secret",)),
    ("ioc_board", "SELECT", (*_BOARD, "audit", "import")),
    ("ioc_board", "INSERT", (*_BOARD, "audit", *_IMPORTS)),
    ("ioc_board", "UPDATE", (*_BOARD, "import")),
    ("ioc_reader", "SELECT", _IMPORTS),
    ("ioc_reader", "SELECT", ("erasure", "erasure_event")),
    ("ioc_board", "DELETE", ("board_session", "api_token", "saved_filter", "outbox", *_CONTACTS)),
    ("ioc_notifier", "SELECT", (*_ALARMS, "brief", "entity", "position", *_PERSONS)),
    ("ioc_notifier", "INSERT", ("alarm", "alarm_step", "notification", "brief", "position")),
    ("ioc_notifier", "UPDATE", ("alarm", "alarm_published", "notification", "brief", "position")),
    ("ioc_notifier", "DELETE", ("position",)),
    ("ioc_reader", "SELECT", (*_ALARMS, "brief", "alarm_list", "alarm_orphan")),
    ("ioc_board", "SELECT", ("alarm_orphan",)),
    ("ioc_board", "SELECT", ("report_issue", "shift_handover", "import_columns")),
    ("ioc_board", "INSERT", ("report_issue", "shift_handover", "import_columns")),
    ("ioc_board", "UPDATE", ("shift_handover", "import_columns")),
    ("ioc_reader", "SELECT", ("report_issue", "finding", "finding_step", "procedure_name", "report_photo")),
    ("ioc_board", "SELECT", ("finding", "finding_step")),
    ("ioc_board", "INSERT", ("finding", "finding_step")),
    ("ioc_board", "UPDATE", ("finding",)),
    ("ioc_grafana", "SELECT", (*_BOARDS, "series", "point", *_ROLLUPS, "summed_labels", "source", "backup", "horizon")),
)
"""(role, right, tables): the log can be added to, never changed; who reads, reads."""
CALLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ioc_emitters", ("note_key_use",)),
    ("ioc_reader", ("link_seal",)),
    ("ioc_upkeep", ("move_horizon", "forget_log", "forget_series", "forget_entities", "forget_photos", "compress_log")),
)
"""(role, functions that it may call, which then act as the owner)."""


def ensure_database_and_roles(superuser_conninfo: str, password_of: Callable[[str], str]) -> None:
    """Make or repair the database, its extension and the roles; harmless when repeated.

    `password_of` gives the password of a role. Raises `psycopg.Error` when the server refuses.
    """
    with psycopg.connect(superuser_conninfo, autocommit=True) as server:
        _one_at_a_time(server)
        for role in ROLES:
            _ensure_role(server, role, password_of(role))
        _ensure_role(server, REPLICATION, password_of(REPLICATION), "REPLICATION")
        _ensure_database(server)
    with psycopg.connect(make_conninfo(superuser_conninfo, dbname=DATABASE), autocommit=True) as database:
        _one_at_a_time(database)
        database.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        database.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        _close_functions(database)


def _close_functions(database: psycopg.Connection) -> None:
    """Nobody calls what does harm, but for the locks of those who need them."""
    sql_of = "SELECT oid::regprocedure::text, proname FROM pg_proc WHERE proname = ANY(%s) AND pronamespace = 11"
    locking = sql.SQL(", ").join(map(sql.Identifier, LOCKING))
    for signature, name in database.execute(sql_of, [list(HARMFUL)]).fetchall():
        function = sql.SQL(signature)
        database.execute(sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC").format(function))
        if "advisory" in name:
            database.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(function, locking))


def grant_rights(owner_conninfo: str) -> None:
    """Give each role its rights on the tables, as their owner, after the migrations, and take back what an earlier
    version gave beside them; harmless when repeated."""
    with psycopg.connect(owner_conninfo) as database:
        _one_at_a_time(database)
        _take_back(database)
        for role in ROLES[1:]:
            database.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(sql.Identifier(role)))
        for role, right, tables in RIGHTS:
            names = sql.SQL(", ").join(map(sql.Identifier, tables))
            database.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(right), names, sql.Identifier(role)))
        for role, functions in CALLS:
            names = sql.SQL(", ").join(map(sql.Identifier, functions))
            database.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(names, sql.Identifier(role)))


def _take_back(database: psycopg.Connection) -> None:
    tables = {(role, right, table) for role, right, names in RIGHTS for table in names}
    calls = {(role, "EXECUTE", name) for role, names in CALLS for name in names}
    for role, right, kind, name, shown in database.execute(_GIVEN, {"roles": list(ROLES[1:])}).fetchall():
        if (role, right, shown) not in tables | calls:
            revoke = sql.SQL("REVOKE {} ON {} {} FROM {}")
            what = sql.SQL("FUNCTION" if kind == "f" else "TABLE")
            database.execute(revoke.format(sql.SQL(right), what, sql.SQL(name), sql.Identifier(role)))


_GIVEN = """
SELECT r.rolname, a.privilege_type, 't', c.oid::regclass::text, c.relname
FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND r.rolname = ANY (%(roles)s)
UNION ALL
SELECT r.rolname, a.privilege_type, 'f', p.oid::regprocedure::text, p.proname
FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE p.pronamespace = 'public'::regnamespace AND r.rolname = ANY (%(roles)s)
"""


def _one_at_a_time(conn: psycopg.Connection) -> None:
    """Until the connection ends: two starts that grant the same right at once would make one of them fail."""
    conn.execute("SELECT pg_advisory_lock(%s)", (migrate.LOCK,))


def _ensure_role(
    server: psycopg.Connection, role: str, password: str, replication: LiteralString = "NOREPLICATION"
) -> None:
    known = server.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount
    verb = sql.SQL("ALTER" if known else "CREATE")
    # The password is hashed here, so it appears in no statement, log or statistics view of the server.
    hashed = server.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    rights = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS {} PASSWORD").format(sql.SQL(replication))
    server.execute(sql.SQL("{} ROLE {} {} {}").format(verb, sql.Identifier(role), rights, sql.Literal(hashed)))
    if role in CONNECTIONS:
        limit = sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}")
        server.execute(limit.format(sql.Identifier(role), sql.Literal(CONNECTIONS[role])))
    for name, value in SESSIONS.get(role, {}).items():
        setting = sql.SQL("ALTER ROLE {} SET {} = {}")
        server.execute(setting.format(sql.Identifier(role), sql.Identifier(name), sql.Literal(value)))


def _ensure_database(server: psycopg.Connection) -> None:
    if not server.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount:
        make = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
        server.execute(make.format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))
    for name in (DATABASE, "postgres", "template1"):
        server.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    granted = sql.SQL(", ").join(map(sql.Identifier, ROLES))
    server.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(DATABASE), granted))
    server.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO ioc_aggregator").format(sql.Identifier(DATABASE)))
