"""Each role of the database against every table, right and function: what is not its job is refused.

What each may do is written here once more, by hand: what the product grants is held against it.
"""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from infra.local.servers import Instance
from infra.timescaledb.roles import CONNECTIONS, ROLES
from services.centre.prepare import settings_of

RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
ROLLUPS = "rollup_day rollup_month rollup_unit_month"
FOLDED = f"event_key event entity series point {ROLLUPS} source position"
MAY: dict[str, dict[str, str]] = {
    "ioc_aggregator": {
        "SELECT": f"{FOLDED} summed_labels calendar_version horizon refused emitter_key schema_migration",
        "INSERT": f"{FOLDED} refused",
        "UPDATE": f"entity {ROLLUPS} source position calendar_version refused",
        "DELETE": f"entity point {ROLLUPS} refused position",
    },
    "ioc_deadlines": {"SELECT": "entity calendar_version horizon"},
    "ioc_emitters": {
        "SELECT": "emitter_key emitter_secret open311_request device_state device_outbox",
        "INSERT": "device_state device_outbox report_photo",
        "UPDATE": "device_state device_outbox",
        "DELETE": "device_outbox",
    },
    "ioc_upkeep": {"SELECT": "horizon"},
    "ioc_notifier": {
        "SELECT": "alarm alarm_step alarm_published notification brief entity position person "
        "person_called alarm_orphan emitter_key schema_migration",
        "INSERT": "alarm alarm_step notification brief position",
        "UPDATE": "alarm alarm_published notification brief position",
        "DELETE": "position",
    },
    "ioc_board": {
        "SELECT": "account board_session api_token saved_filter outbox audit emitter_key emitter_secret import "
        "report_issue finding finding_step unit_contact procedure_name shift_handover import_columns alarm_orphan",
        "INSERT": "account board_session api_token saved_filter outbox audit emitter_key emitter_secret import "
        "import_event report_issue finding finding_step unit_contact procedure_name shift_handover import_columns",
        "UPDATE": "account board_session api_token saved_filter outbox emitter_key emitter_secret import finding "
        "unit_contact procedure_name shift_handover import_columns",
        "DELETE": "board_session api_token saved_filter outbox emitter_secret unit_contact procedure_name",
    },
    "ioc_grafana": {
        "SELECT": "unit unit_scope dossier_list report_list feature_list statement alarm_list series point source "
        f"backup horizon summed_labels {ROLLUPS}"
    },
    "ioc_reader": {
        "SELECT": f"{FOLDED} source_end calendar_version backup rebuild_check horizon refused alarm alarm_step "
        "alarm_published notification alarm_list alarm_orphan brief import import_event report_issue finding "
        "finding_step procedure_name erasure erasure_event unit unit_scope statement summed_labels report_photo"
    },
}


@pytest.fixture(scope="module")
def owner(centre: Instance) -> str:
    return settings_of(centre, "cli").database("owner")


def granted(owner: str, role: str) -> set[tuple[str, str]]:
    """(right, table) of all tables and views in our schema that the role has."""
    sql = """
    SELECT p.kind, c.relname FROM pg_class c, unnest(%(rights)s::text[]) AS p(kind)
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'p')
        AND has_table_privilege(%(role)s, c.oid, p.kind)
    """
    with psycopg.connect(owner) as conn:
        return set(conn.execute(sql, {"rights": list(RIGHTS), "role": role}).fetchall())


def as_role(centre: Instance, role: str) -> psycopg.Connection:
    owner = settings_of(centre, "cli").database("owner")
    return psycopg.connect(make_conninfo(owner, user=role, password=centre.password(role)), autocommit=True)


@pytest.mark.parametrize("role", sorted(MAY))
def test_a_role_has_the_rights_of_its_job_and_no_other(centre: Instance, owner: str, role: str) -> None:
    expected = {(right, table) for right, tables in MAY[role].items() for table in tables.split()}
    assert granted(owner, role) == expected


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"ioc_owner"}))
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT pg_logical_emit_message(false, 'x', 'x')",
        "SELECT pg_notify('x', 'x')",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('.')",
        "SELECT pg_reload_conf()",
        "CREATE EXTENSION dblink",
        "CREATE TABLE public.mine ()",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "ALTER ROLE ioc_reader CONNECTION LIMIT 1000",
        "SET temp_file_limit = -1",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT move_horizon(0)",
    ],
)
def test_no_role_does_what_harms_all(centre: Instance, role: str, statement: str) -> None:
    if (role, statement.partition("(")[0]) == ("ioc_upkeep", "SELECT move_horizon"):
        return
    with as_role(centre, role) as conn, pytest.raises(psycopg.Error) as refused:
        conn.execute(statement.encode())
    errors = psycopg.errors
    kinds = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction, errors.UndefinedFunction)
    assert isinstance(refused.value, kinds), refused.value


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"ioc_owner", "ioc_aggregator"}))
def test_only_the_aggregator_has_temporary_tables(centre: Instance, role: str) -> None:
    with as_role(centre, role) as conn, pytest.raises(psycopg.Error, match=r"temporary tables|read-only"):
        conn.execute("CREATE TEMPORARY TABLE mine (x int)")


@pytest.mark.parametrize("role", ["ioc_grafana", "ioc_reader", "ioc_deadlines", "ioc_upkeep"])
def test_who_needs_no_lock_keeps_nobody_waiting(centre: Instance, role: str) -> None:
    with as_role(centre, role) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("SELECT pg_advisory_lock(1)")


def test_no_role_holds_all_connections(centre: Instance) -> None:
    with psycopg.connect(settings_of(centre, "cli").database("owner")) as conn:
        limits = dict(conn.execute("SELECT rolname, rolconnlimit FROM pg_roles WHERE rolname LIKE 'ioc_%'").fetchall())
        most = int((conn.execute("SHOW max_connections").fetchone() or ("0",))[0])
    assert {role: limits[role] for role in ROLES} == CONNECTIONS
    assert all(0 < limits[role] <= most // 2 for role in ROLES)


def test_grafana_ends_what_takes_too_long_or_too_much(centre: Instance) -> None:
    held: list[psycopg.Connection] = []
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            for _ in range(CONNECTIONS["ioc_grafana"] + 1):
                held.append(as_role(centre, "ioc_grafana"))
        shown = {name: held[0].execute(f"SHOW {name}").fetchone() for name in ("statement_timeout", "temp_file_limit")}
        assert shown == {"statement_timeout": ("1min",), "temp_file_limit": ("1GB",)}
        held[0].execute("SET statement_timeout = '100ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            held[0].execute("SELECT pg_sleep(20)")
        with as_role(centre, "ioc_reader") as other:
            assert other.execute("SELECT 1").fetchone() == (1,)
    finally:
        for conn in held:
            conn.close()
