"""The read API on a real centre: the figures of `ioc query`, each account's own units, and what is told to nobody."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from html import unescape
from typing import Any

import httpx
import psycopg
import pytest
from alarms import eventually
from click.testing import Result
from jsonschema import Draft202012Validator
from support import board_beside, command
from visitors import add_account, entered

from infra.local.servers import Instance
from services.board.access import FEW, SMALL, Account
from services.board.auth.middleware import QUESTIONS
from services.board.auth.tokens import bounded
from services.centre.prepare import settings_of

WARD, OTHER = "phuong_minh_hung", "phuong_chon_thanh"
CITY = "dong_xoai"
NOVEMBER = {"from": "2024-11-01", "to": "2024-11-30"}
STATE = {"from": "2024-11-01", "to": "2024-11-23", "as_of": "2024-11-23"}
Ioc = Callable[..., Result]


@dataclass(frozen=True)
class Program:
    """A program that asks with a token."""

    http: httpx.Client

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.http.get(path, params=query or None)

    def read(self, path: str, **query: str) -> Any:
        """What is answered; a machine that is busy with other tests is asked again, as its answer says."""
        end = time.monotonic() + 60
        while (answer := self.get(path, **query)).status_code == 503 and time.monotonic() < end:
            time.sleep(float(answer.headers["retry-after"]))
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def ioc(published: Instance) -> Ioc:
    """The command as an operator runs it, without the start of a process."""

    return partial(command, published)


@pytest.fixture(scope="module")
def home(published: Instance) -> Iterator[str]:
    add_account(published, "api-viewer", "viewer")
    add_account(published, "api-ward", "viewer", units=(WARD,))
    with board_beside(published) as address:
        yield address


@pytest.fixture(scope="module")
def program(ioc: Ioc, home: str) -> Callable[..., Program]:
    """Gives an account a token, and a program that shows it."""

    def given(account: str, name: str, *options: str) -> Program:
        done = ioc("people", "token", "add", account, name, "--user", "test", *options)
        assert done.exit_code == 0, done.output
        shown = {"authorization": f"Bearer {done.stdout.split()[-1]}"}
        return Program(httpx.Client(base_url=home, headers=shown, timeout=30))

    return given


@pytest.fixture(scope="module")
def viewer(program: Callable[..., Program]) -> Program:
    return program("api-viewer", "viewer")


@pytest.fixture(scope="module")
def ward(program: Callable[..., Program]) -> Program:
    return program("api-ward", "ward")


ASKED: list[tuple[str, dict[str, str]]] = [
    *((f"payments_{what}", NOVEMBER) for what in ("fee_count", "fee_amount", "tax_count", "tax_amount", "count")),
    *((f"payments_{what}", {**NOVEMBER, "unit": CITY}) for what in ("fee_count", "fee_amount", "tax_count", "amount")),
    *((what, STATE) for what in ("online_service_share_mean", "online_dossier_share_mean", "online_dossier_share")),
    *((what, {**STATE, "by": "unit"}) for what in ("online_service_share", "online_dossier_share")),
    *((f"dossiers_{what}", NOVEMBER) for what in ("received", "ended", "in_progress")),
    ("reports_received", NOVEMBER),
    ("payments_fee_count", {**NOVEMBER, "by": "unit"}),
    ("payments_fee_amount", {**NOVEMBER, "by": "day", "unit": "Thành phố Đồng Xoài"}),
    ("dossiers_received", {"from": "2024-09", "to": "2024-12", "by": "month"}),
    ("dossiers_received", {**NOVEMBER, "by": "field"}),
    ("dossiers_in_progress", {"as_of": "2024-11-15T10:30", "by": "unit"}),
    ("ii06", {**NOVEMBER, "unit": CITY}),
    ("ii06", {**NOVEMBER, "by": "unit"}),
    ("health", NOVEMBER),
    ("education", NOVEMBER),
    ("security", NOVEMBER),
    ("economy", {"from": "2024-10-23", "to": "2024-11-23", "as_of": "2024-11-30"}),
    ("payments_fee_count", {"from": "2031-01-01", "to": "2031-01-31"}),
]  # fmt: skip


@pytest.mark.parametrize(("indicator", "query"), ASKED)
def test_a_figure_is_that_of_the_command(ioc: Ioc, viewer: Program, indicator: str, query: dict[str, str]) -> None:
    options = [part for name, text in query.items() for part in (f"--{name.replace('_', '-')}", text)]
    done = ioc("query", indicator, *options, "--format", "json")
    assert done.exit_code == 0, done.output
    expected, by = json.loads(done.stdout), query.get("by")
    found = viewer.read(f"/api/figures/{indicator}", **query)
    assert {name: found[name] for name in ("unit", "from", "to")} == {n: expected[n] for n in ("unit", "from", "to")}
    assert len(found["figures"]) == len(expected["readings"]) > 0
    for one, reading in zip(found["figures"], expected["readings"], strict=True):
        group = {by: one["group"]} if by else {}
        assert {**group, **{name: one[name] for name in reading if name != by}} == reading
        assert (one["status"] == "no_data") == (one["value"] is None) == bool(one["reason_vi"])


def test_thirty_figures_are_compared() -> None:
    assert len(ASKED) >= 30


def test_a_period_that_goes_on_is_not_called_final(viewer: Program) -> None:
    def statuses(**query: str) -> set[str]:
        return {one["status"] for one in viewer.read("/api/figures/payments_fee_count", **query)["figures"]}

    assert statuses(**NOVEMBER) == {"final"}
    assert statuses(**NOVEMBER, as_of="2024-11-15") == {"incomplete"}
    assert statuses(month="11/2024", as_of="2024-11-15T10:00", by="day") == {"final", "incomplete"}
    assert statuses(month="2024-11", by="month", as_of="2024-11-30") == {"final"}


@pytest.mark.parametrize("as_of", ["2024-11-30", "2024-11-12T10:00"])
def test_a_link_opens_the_number_on_the_board(home: str, viewer: Program, as_of: str) -> None:
    found = viewer.read("/api/figures/payments_fee_count", **NOVEMBER, unit=CITY, as_of=as_of)["figures"][0]
    assert found["link"].startswith(home)
    number, browser = f"{int(found['value']):,}".replace(",", "."), entered(home, "api-viewer")

    def shown() -> str:
        page = unescape(browser.get(found["link"].removeprefix(home)).text.replace('\\"', '"'))
        large = re.search(r'class="huge[^>]*>([^<]*)<', page)
        return large[1].strip(" ●▲✓").partition(" ")[0] if large else page

    eventually(shown, number)


def test_an_explanation_and_the_findings_are_those_of_the_command(ioc: Ioc, viewer: Program) -> None:
    options = ("--unit", CITY, "--from", "2024-11-01", "--to", "2024-11-30", "--format", "json")
    expected = json.loads(ioc("explain", "payments_fee_amount", *options).stdout)
    (found,) = viewer.read("/api/explain/payments_fee_amount", **NOVEMBER, unit=CITY)["explanations"]
    assert {name: found[name] for name in ("formula", "parts", "events")} == {
        name: expected[name] for name in ("formula", "parts", "events")
    }
    assert found["figure"]["value"] == expected["value"] and len(found["sample"]) == len(expected["sample"]) > 0
    known = json.loads(ioc("findings", "--as-of", "2024-11-30", "--format", "json").stdout)
    told = viewer.read("/api/findings", as_of="2024-11-30")["findings"]
    assert [(f["code"], f["unit"], f["vi"]) for f in told] == [(f["code"], f["unit"], f["vi"]) for f in known]
    assert len(told) > 3


def test_the_catalogue_the_units_and_the_sources_are_listed(ioc: Ioc, viewer: Program) -> None:
    listed = json.loads(ioc("indicators", "--system", "field", "--format", "json").stdout)
    found = viewer.read("/api/indicators", system="field")["indicators"]
    assert [(i["code"], i["formula"]) for i in found] == [(i["code"], i["formula"]) for i in listed]
    there = json.loads(ioc("units", "--date", "2024-11-01", "--format", "json").stdout)
    assert viewer.read("/api/units", date="01/11/2024")["units"] == there
    assert {s["source"] for s in viewer.read("/api/freshness")["sources"]} >= {"/deadlines"}


def test_csv_is_the_same_table_and_no_cell_a_formula(viewer: Program) -> None:
    path, query = "/api/figures/payments_fee_count", {**NOVEMBER, "by": "unit"}
    told = viewer.http.get(path, params=query, headers={"accept": "text/csv"})
    assert told.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(told.content.decode("utf-8-sig"))))
    found = viewer.read(path, **query)["figures"]
    assert [(r["group"], r["value"], r["from"]) for r in rows] == [
        (f["group"], f["value"], "2024-11-01") for f in found
    ]
    for other in ("explain/ii06", "findings", "indicators", "units", "freshness"):
        text = viewer.get(f"/api/{other}", format="csv")
        cells = [cell for row in csv.reader(io.StringIO(text.content.decode("utf-8-sig"))) for cell in row]
        assert text.status_code == 200 and len(cells) > 10
        assert not [c for c in cells if c.startswith(("=", "+", "@")) or (c.startswith("-") and not is_number(c))]


def is_number(text: str) -> bool:
    try:
        return bool(float(text)) or True
    except ValueError:
        return False


def test_what_is_known_already_is_not_told_again(viewer: Program, ward: Program) -> None:
    path, query = "/api/figures/dossiers_received", {**STATE, "unit": WARD}
    first = viewer.get(path, **query)
    again = viewer.http.get(path, params=query, headers={"if-none-match": f'"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert first.headers["cache-control"] == "private, no-cache"
    others = [viewer.get(path, **STATE), viewer.get(path, **query, format="csv"), ward.get(path, **query)]
    assert len({first.headers["etag"], *(other.headers["etag"] for other in others)}) == 4


@pytest.mark.parametrize(
    ("path", "status", "where", "told"),
    [
        ("figures/payments_fee_cuont", 404, "indicator", "payments_fee_count"),
        ("figures/visits?unit=phuong_minh_hun", 422, "unit", WARD),
        ("figures/visits?unti=dong_xoai", 422, "unti", "no parameter"),
        ("figures/visits?from=11/13/2024", 422, "from", "no month 13"),
        ("figures/visits?from=2024-12&to=2024-11", 422, "from", "before it begins"),
        ("figures/visits?month=2024-11&from=2024-11", 422, "month", "whole period"),
        ("figures/visits?month=2024-11-05", 422, "month", "a month is needed"),
        ("figures/visits?by=colour", 422, "by", "no label"),
        ("figures/visits?by=hour&month=2024-10&to=x", 422, "month", ""),
        ("figures/visits?by=hour&from=2024-10&to=2024-11", 422, "by", "31 days"),
        ("figures/visits?format=xml", 422, "format", "json"),
        ("indicators?system=x", 422, "system", "procedures"),
        ("nothing", 404, "", "Not Found"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong_and_where(
    viewer: Program, path: str, status: int, where: str, told: str
) -> None:
    answer = viewer.get(f"/api/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["status"], problem["where"]) == (status, where) and told in problem["detail"]
    assert problem["instance"] == f"/api/{path.partition('?')[0]}"


def test_a_wards_token_asks_for_no_other_unit(viewer: Program, ward: Program, program: Callable[..., Program]) -> None:
    town = program("api-viewer", "town", "--units", CITY)
    own = {**STATE, "unit": WARD}
    assert ward.read("/api/figures/ii06", **own) == viewer.read("/api/figures/ii06", **own)
    assert ward.get("/api/figures/ii06", **own, by="unit").status_code == 200
    asked_for = ({"unit": OTHER}, {"unit": CITY}, {})
    beyond = [(path, asked) for path in ("figures/ii06", "explain/dossiers_received") for asked in asked_for]
    beyond.append(("figures/ii06", {"by": "unit"}))
    for path, asked in beyond:
        answer = ward.get(f"/api/{path}", **NOVEMBER, **asked)
        assert (answer.status_code, answer.json()["where"]) == (403, "unit") and WARD in answer.json()["advice"]
    assert town.read("/api/figures/ii06", **STATE, unit=CITY, by="unit") == viewer.read(
        "/api/figures/ii06", **STATE, unit=CITY, by="unit"
    )
    assert town.get("/api/figures/ii06", **STATE, unit=WARD).status_code == 403
    assert ward.get("/api/findings", unit=OTHER).status_code == 403
    assert {f["unit"] for f in ward.read("/api/findings")["findings"]} <= {None, WARD}
    assert {u["code"] for u in ward.read("/api/units")["units"]} == {WARD}


def test_a_token_has_at_most_what_its_account_has(ioc: Ioc, viewer: Program) -> None:
    def refused(*options: str) -> str:
        done = ioc("people", "token", "add", "api-ward", "more", "--user", "test", *options)
        assert done.exit_code == 1
        return done.output

    assert "role" in refused("--role", "operator")
    assert "units" in refused("--units", OTHER)
    assert "400" in refused("--days", "401")
    assert "no such account" in ioc("people", "token", "add", "nobody-here", "x1", "--user", "test").output
    account = Account("x", "", "operator", (WARD,))
    assert bounded(account, "admin", ()) == account
    assert bounded(account, "viewer", (WARD, OTHER)) == Account("x", "", "viewer", (WARD,))
    assert bounded(account, "viewer", (OTHER,)) is None
    assert bounded(Account("x", "", "viewer"), "viewer", (OTHER,)) == Account("x", "", "viewer", (OTHER,))


def test_without_a_token_that_is_valid_nothing_is_told(
    published: Instance, ioc: Ioc, home: str, program: Callable[..., Program]
) -> None:
    def told(program: Program | None) -> int:
        headers = program.http.headers if program else {}
        return httpx.get(
            f"{home}/api/figures/visits", headers={"authorization": headers.get("authorization", "")}
        ).status_code

    answer = httpx.get(f"{home}/api/figures/visits")
    assert answer.status_code == 401 and answer.json()["advice"] and "Bearer" in answer.headers["www-authenticate"]
    assert httpx.get(f"{home}/api/units", headers={"authorization": "Bearer ioc_" + "x" * 43}).status_code == 401
    assert entered(home, "api-viewer").get("/api/figures/visits").status_code == 200, "a session may ask as well"
    revoked, expired = program("api-viewer", "revoked"), program("api-viewer", "expired")
    assert (told(revoked), told(expired), told(None)) == (200, 200, 401)
    assert ioc("people", "token", "revoke", "api-viewer", "revoked", "--user", "test").exit_code == 0
    owner = settings_of(published, "cli").database("owner")
    with psycopg.connect(owner, autocommit=True) as conn:
        conn.execute("UPDATE api_token SET expires_at = now() - interval '1 s' WHERE name = 'expired'")
        assert (told(revoked), told(expired)) == (401, 401)
        noted = conn.execute("SELECT by, action, detail ->> 'token' FROM audit WHERE subject = 'api-viewer'").fetchall()
        assert {
            ("cli:test", "account.token_added", "expired"),
            ("cli:test", "account.token_revoked", "revoked"),
        } <= set(noted)
        kept = conn.execute("SELECT digest, seen_at FROM api_token WHERE name = 'expired'").fetchone()
        assert kept and kept[1] and kept[0] not in expired.http.headers["authorization"]
    listed = ioc("people", "token", "list").output
    assert "expired" in listed and "revoked" not in listed
    assert revoked.http.post("/api/figures/visits").status_code == 401


def test_nothing_is_changed_by_asking(viewer: Program) -> None:
    answer = viewer.http.post("/api/figures/visits")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert viewer.http.delete("/api/findings").json()["status"] == 405


def test_a_token_of_the_public_is_told_no_small_count_of_people(
    viewer: Program, program: Callable[..., Program]
) -> None:
    public, query = program("api-viewer", "open", "--role", "public"), {**NOVEMBER, "by": "unit"}
    compared = 0
    for code in ("disease_cases", "reports_received"):
        exact = {f["group"]: f for f in viewer.read(f"/api/figures/{code}", **query)["figures"]}
        for one in public.read(f"/api/figures/{code}", **query)["figures"]:
            value = exact[one["group"]]["value"]
            if value is None:
                assert one["status"] == "no_data"
            elif int(value) < SMALL:
                assert (one["value"], one["exact"], one["status"], one["reason"]) == (None, None, "suppressed", FEW)
            else:
                assert int(one["value"]) == int(value) - int(value) % SMALL
            compared += value is not None
    assert compared > 5
    assert public.read("/api/explain/reports_received", **NOVEMBER)["explanations"][0]["sample"] == []
    assert public.get("/api/findings").status_code == 403
    assert public.get("/api/figures/reports_received", as_of="2024-11-15T10:31").status_code == 403
    assert public.get("/api/figures/dossiers_received", as_of="2024-11-15T10:31").status_code == 200


def test_the_published_description_is_openapi_and_names_every_path(home: str, viewer: Program) -> None:
    described = httpx.get(f"{home}/api/openapi.json").json()
    assert described["openapi"].startswith("3.1") and described["servers"] == [{"url": "/api"}]
    assert {*described["paths"]} == {
        "/figures/{indicator}", "/explain/{indicator}", "/findings", "/indicators", "/units", "/freshness"
    }  # fmt: skip
    asked = {"/figures/{indicator}": {"by": "unit", **NOVEMBER}, "/explain/{indicator}": NOVEMBER}
    shown = described["components"]["schemas"]["Figures"]["example"]
    told = viewer.read("/api/figures/payments_fee_count", unit=CITY, month="2024-11", as_of="2024-11-30")
    (figure,) = told.pop("figures")
    figure["link"] = figure["link"].replace(home, "http://127.0.0.1:8020")
    assert shown.pop("figures") == [{name: value for name, value in figure.items() if value is not None}]
    assert shown == {name: value for name, value in told.items() if value is not None}
    for path, operations in described["paths"].items():
        schema = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**schema, "components": described["components"]})
        validator.validate(viewer.read(f"/api{path.format(indicator='payments_fee_count')}", **asked.get(path, {})))
        assert {"401", "403", "422", "429"} <= operations["get"]["responses"].keys()


def test_who_asks_too_much_is_told_when_to_ask_again(viewer: Program, program: Callable[..., Program]) -> None:
    hasty = program("api-viewer", "hasty")
    answers = [hasty.get("/api/units", date="x") for _ in range(QUESTIONS[1] + 60)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and int(refused[0].headers["retry-after"]) >= 1
    assert viewer.get("/api/units").status_code == 200, "nobody else waits for it"
