"""The scenario gives the published tables back, counted here from the events alone, without the project's folds."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from schemas import registry
from schemas.calendar import VN
from schemas.calendar_history import CalendarHistory
from schemas.envelope import Event
from schemas.fold import Fact
from services.centre.scenario import weeks_for
from services.cli.load import load
from services.simulator import SCENARIOS, november_2024
from services.simulator.november_2024 import splits

TABLES = Path(november_2024.__file__).parent / "tables"
END = november_2024.END
LATER = datetime(2025, 5, 1, tzinfo=UTC)
SHIFT = 64  # the shifted month ends on 21 February 2026, with Tết in its middle
DOSSIERS = 57_000


def table(name: str) -> list[dict[str, str]]:
    with (TABLES / f"{name}.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def printed(value: Decimal, digits: str) -> Decimal:
    return value.quantize(Decimal(digits), ROUND_HALF_UP)


def percent(part: int, whole: int) -> Decimal:
    return Decimal(100 * part) / whole


def local(instant: str) -> datetime:
    return datetime.fromisoformat(instant).astimezone(VN)


@dataclass
class Tally:
    """What plain counting finds in the events."""

    types: Counter[str] = field(default_factory=Counter)
    ids: set[str] = field(default_factory=set)
    offered: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    filed: dict[str, tuple[str, date, dict[str, Any]]] = field(default_factory=dict)
    asked_to_pay: dict[str, datetime] = field(default_factory=dict)
    paid: list[tuple[str, datetime, dict[str, Any]]] = field(default_factory=list)
    stated: dict[tuple[str, str, str, str], dict[str, Any]] = field(default_factory=dict)
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    antivirus: dict[str, int] = field(default_factory=dict)
    messages: dict[str, list[tuple[str, datetime, dict[str, Any]]]] = field(default_factory=lambda: defaultdict(list))
    last: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    digest: str = ""

    def add(self, event: dict[str, Any]) -> None:
        name, at, unit, data = event["type"][7:-3], local(event["time"]), event["unit"], event["data"]
        self.types[name] += 1
        self.ids.add(event["source"] + event["id"])
        self.last = max(self.last, at) if data.get("period_end", "") <= END.isoformat() else self.last
        match name:
            case "procedure.published":
                assert data["online_level"] != "none"
                assert at.date() < date(2024, 11, 1)
                self.offered[unit].add(data["procedure"])
            case "dossier.submitted":
                assert data["online_level"] != "none"
                self.filed[data["code"]] = unit, at.date(), data
            case "dossier.payment_requested":
                self.asked_to_pay[data["code"]] = at
            case "payment.made":
                self.paid.append((unit, at, data))
            case "indicator.reported":
                self.stated[data["indicator"], unit, data["period_end"], data["basis"]] = data
            case "indicator.target_set":
                self.targets[data["indicator"]] = data
            case "antivirus.reported":
                self.antivirus[unit] = data["installs"]
            case name if name.startswith("report."):
                self.messages[data["code"]].append((name, at, data))

    def dossiers(self, first: date, last: date) -> dict[str, list[dict[str, Any]]]:
        """Unit -> the submissions within the days."""
        found = defaultdict(list)
        for unit, day, data in self.filed.values():
            if first <= day <= last:
                found[unit].append(data)
        return found

    def value(self, indicator: str, unit: str, end: str, basis: str = "table") -> Decimal:
        return Decimal(self.stated[indicator, unit, end, basis]["value"])


def bodies(weeks: int = 0) -> Iterator[bytes]:
    for event in november_2024.events(weeks):
        yield event.to_json()


@pytest.fixture(scope="module")
def november() -> Tally:
    """All events as they travel, each through the door."""
    tally, content, start = Tally(), blake2b(), time.perf_counter()
    for raw in bodies():
        registry.parse(raw, LATER)
        content.update(raw)
        tally.add(json.loads(raw.decode()))
    tally.digest = content.hexdigest()
    seconds = time.perf_counter() - start
    print(f"\n{tally.types.total():,} events made, parsed and counted in {seconds:.1f} s")
    return tally


def test_payments_give_all_44_cells_and_the_totals(november: Tally) -> None:
    count: Counter[tuple[str, str]] = Counter()
    total: Counter[tuple[str, str]] = Counter()
    for unit, at, data in november.paid:
        assert data["amount"] > 0
        assert data["method"] != "cash"
        assert date(2024, 11, 1) <= at.date() <= END
        count[unit, data["kind"]] += 1
        total[unit, data["kind"]] += data["amount"]
    rows = table("online_payment_by_district")
    for row in rows:
        for kind in ("tax", "fee"):
            cell = row["unit_code"], kind
            assert (count[cell], total[cell]) == (int(row[f"{kind}_txn_month"]), int(row[f"{kind}_vnd_month"])), cell
    assert {unit for unit, _ in count} == {row["unit_code"] for row in rows}, "nobody else takes payments"
    units = [row["unit_code"] for row in rows]
    sums = [(sum(count[u, k] for u in units), sum(total[u, k] for u in units)) for k in ("tax", "fee")]
    assert sums == [(4_884, 14_937_656_323), (10_213, 1_912_706_930)]


def test_every_payment_belongs_to_a_dossier_of_its_district_that_was_asked_to_pay(november: Tally) -> None:
    for unit, at, data in november.paid:
        assert november.filed[data["dossier"]][0] == unit
        assert november.asked_to_pay[data["dossier"]] <= at


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2024, 11, 1), date(2024, 11, 23)),
        (date(2024, 11, 1), END),
        (date(2024, 10, 23), date(2024, 11, 23)),
        (date(2024, 10, 1), END),
    ],
)
def test_both_percentages_and_flags_of_the_27_units(november: Tally, first: date, last: date) -> None:
    rows, dossiers = table("online_services_by_unit"), november.dossiers(first, last)
    used_shares, online_shares = [], []
    for row in rows:
        unit = row["unit_code"]
        online = [d for d in dossiers[unit] if d["channel"] == "online"]
        used = {d["procedure"] for d in online}
        assert used == {d["procedure"] for d in dossiers[unit]} <= november.offered[unit]
        used_shares.append(percent(len(used), len(november.offered[unit])))
        online_shares.append(percent(len(online), len(dossiers[unit])))
        shown = [printed(share, "0.1") for share in (used_shares[-1], online_shares[-1])]
        wanted = [Decimal(row[c]) for c in ("pct_online_services_with_dossiers", "pct_dossiers_handled_online")]
        assert shown == wanted, unit
        flags = [row["meets_target_80"] == "1", row["meets_target_50"] == "1"]
        assert [shown[0] >= 80, shown[1] >= 50] == flags, unit
    assert set(dossiers) == {row["unit_code"] for row in rows}
    assert printed(sum(used_shares, Decimal()) / 27, "0.01") == Decimal("98.61")
    assert printed(sum(online_shares, Decimal()) / 27, "0.01") == Decimal("80.78")


def test_about_57_000_dossiers_received_and_few_events_each(november: Tally) -> None:
    received = sum(map(len, november.dossiers(date(2024, 11, 1), END).values()))
    assert abs(received - DOSSIERS) < DOSSIERS // 100
    of_dossiers = sum(n for name, n in november.types.items() if name.startswith(("dossier.", "payment.")))
    assert of_dossiers <= 5 * len(november.filed)


def test_software_table_cell_by_cell_with_its_sums_and_means(november: Tally) -> None:
    rows, end = table("egov_software_usage_by_unit"), "2024-11-23"
    columns = {
        "paperless_meetings": "paperless_meetings_period",
        "paperless_meetings_total": "paperless_meetings_cumulative",
        "documents_signed_pct": "pct_documents_digitally_signed",
        "documents_online_pct": "pct_documents_handled_online",
        "official_email_pct": "pct_staff_using_official_email",
    }
    stated = {i: [november.value(i, row["unit_code"], end) for row in rows] for i in columns}
    assert stated == {i: [Decimal(row[column]) for row in rows] for i, column in columns.items()}
    assert [sum(stated[i]) for i in ("paperless_meetings", "paperless_meetings_total")] == [92, 4_849]
    means = [printed(sum(stated[i], Decimal()) / 33, "0.01") for i in list(columns)[2:]]
    assert means == [Decimal("90.85"), 100, Decimal("86.76")]
    assert november.antivirus == {r["unit_code"]: int(r["antivirus_installs"]) for r in rows if r["antivirus_installs"]}
    assert sum(november.antivirus.values()) == 4_760


def test_the_running_text_contradicts_the_table_as_printed(november: Tally) -> None:
    said = [november.value("paperless_meetings_total", u, "2024-11-23", "text") for u in ("dong_xoai", "vpubnd_tinh")]
    assert said == [1_733, 1_674]


def test_e_certification_as_printed_with_its_missing_dossier(november: Tally) -> None:
    (row,) = table("e_certification_summary")
    names = ["received", "carried_over", "new", "resolved", "on_time_or_early", "overdue", "in_progress", "not_due",
             "in_progress_overdue"]  # fmt: skip
    stated = {name: november.value(f"ecert_{name}", "binh_phuoc", "2024-11-23") for name in names}
    assert list(stated.values()) == [Decimal(text) for column, text in row.items() if not column.startswith("period")]
    assert stated["received"] - stated["resolved"] - stated["in_progress"] == 1


def test_hotline_as_counted_with_its_two_missing_messages(november: Tally) -> None:
    (row,) = table("hotline_1022_period")
    span = [date.fromisoformat(row[c]) for c in ("period_start", "period_end")]
    for events in november.messages.values():
        assert events[0][0] == "report.received"
        assert [at for _, at, _ in events] == sorted(at for _, at, _ in events)
        assert span[0] <= events[0][1].date() and events[-1][1].date() <= span[1]
        assert events[0][2]["channel"] == "hotline_1022"
    steps = [{name: data for name, _, data in events} for events in november.messages.values()]
    resolved = [s["report.resolved"] for s in steps if "report.resolved" in s]
    answered = sum(r.get("handling") == "answered" for r in resolved)
    forwarded = sum("report.routed" in s for s in steps)
    counted = [len(steps), len(resolved), len(steps) - len(resolved), answered, forwarded]
    columns = ["received", "processed", "in_progress", "answered_directly", "forwarded_to_agencies"]
    assert counted == [int(row[c]) for c in columns]
    neither = [s for s in steps if "report.routed" not in s and "handling" not in s["report.resolved"]]
    assert len(neither) == len(steps) - answered - forwarded == 2


def test_what_the_tables_print_of_figures_that_are_counted_is_stated_too(november: Tally) -> None:
    stated = {key[:3]: said["value"] for key, said in november.stated.items() if key[0].startswith("reported_")}
    assert len(stated) == 11 * 4 + 27 * 2 + 5
    assert stated["reported_payments_online_fee_count", "dong_xoai", "2024-11-30"] == "2050"
    assert stated["reported_online_dossier_share", "so_gddt", "2024-11-30"] == "96.3"
    assert stated["reported_hotline_received", "binh_phuoc", "2024-11-23"] == "290"


def test_resolution_02_targets_and_results(november: Tally) -> None:
    for row in table("nq02_2024_targets"):
        name = f"nq02_{row['indicator_code']}"
        months = november.stated[name, "binh_phuoc", "2024-10-31", "table"]
        assert months["reached"] == (row["reached_at_10m"] == "1")
        assert months.get("value") == (row["achieved_10m2024_pct"] or None)
        year = november.stated.get((name, "binh_phuoc", "2024-12-31", "table"), {})
        assert year.get("value") == (row["achieved_year2024_pct"] or None)
        assert november.targets.get(name, {}).get("target") == (row["target_2024_pct"] or None)


def test_all_33_programme_figures(november: Tally) -> None:
    rows = table("programme_figures")
    assert len(rows) == 33
    for row in rows:
        indicator, day = f"{row['programme']}_{row['indicator_code']}", row["period_end"]
        stated = november.stated[indicator, "binh_phuoc", day, "table"]
        assert (stated["value"], stated.get("total")) == (row["value"], row["total"] or None)
        assert stated["period_start"] == day


def test_ids_are_unique_and_nothing_happens_after_the_end(november: Tally) -> None:
    assert len(november.ids) == november.types.total()
    assert november.last.date() == END


def test_the_estimate_is_within_one_in_a_hundred(november: Tally) -> None:
    assert november_2024.count_estimate() == pytest.approx(november.types.total(), rel=0.01)


@dataclass
class Outcomes:
    """How the dossiers of a month come out, each folded when its events have passed by."""

    weeks: int
    ended: Counter[str] = field(default_factory=Counter)
    carried_over: int = 0
    wrong: list[str] = field(default_factory=list)
    _facts: list[Fact] = field(default_factory=list)
    _code: str = ""

    def add(self, event: Event) -> None:
        if event.type.startswith(("vn.ioc.dossier.", "vn.ioc.payment.")):
            code = event.fields.get("dossier") or event.fields["code"]
            if code != self._code:
                self.fold()
                self._code = code
            self._facts.append(Fact(event.time, event.id, event.data.event, event.unit, event.origin, event.fields))

    def fold(self) -> None:
        """Count the dossier that is over with its events."""
        facts, code, moved = self._facts, self._code, timedelta(weeks=self.weeks)
        if not facts:
            return
        self._facts = []
        dossier = registry.FOLDS["dossier"](code, facts, CALENDARS)
        outcome = next((dict(p.labels)["outcome"] for p in dossier.points if p.measure == "dossiers_ended"), None)
        last_day = END + moved
        lapsed = not outcome and dossier.due_at and dossier.due_at.astimezone(VN).date() < last_day
        self.ended[outcome or ("open_overdue" if lapsed else "open")] += 1
        november_1 = datetime(2024, 11, 1, tzinfo=VN) + moved
        if dossier.opened_at < november_1:
            self.carried_over += 1
            if dossier.ended_at and dossier.ended_at < november_1:
                self.wrong.append(f"{code} ended before November")
        if any(a.time > b.time for a, b in pairwise(facts)):
            self.wrong.append(f"{code} is told out of order")


CALENDARS = CalendarHistory()


@dataclass
class Beside:
    """The month made a second time, and beside it the shifted one; `wrong` is what a shift does otherwise than it
    should, `kept` how many events it leaves where they were."""

    digest: str
    kept: int
    wrong: list[str]
    outcomes: dict[int, Outcomes]


@pytest.fixture(scope="module")
def beside() -> Beside:
    ours, theirs = november_2024.events(), november_2024.events(SHIFT)
    moved = (e for e in theirs if not (e.origin == "real" and e.data.event == "indicator.target_set"))
    content, kept, wrong = blake2b(), 0, list[str]()
    published, shifted = outcomes = Outcomes(0), Outcomes(SHIFT)
    for number, (one, two) in enumerate(zip(ours, moved, strict=True)):
        content.update(one.to_json())
        published.add(one)
        shifted.add(two)
        if number % 20 == 0:
            registry.parse(two.to_json(), SHIFTED_END)
        if one == two:
            kept += 1
            wrong += [] if one.fields["period_end"] > END.isoformat() else [f"{one.id} is not shifted"]
        elif told := list(unlike(one, two)):
            wrong.append(f"{one.id}, {two.id}: {', '.join(told)}")
    for each in outcomes:
        each.fold()
    return Beside(content.hexdigest(), kept, wrong, {each.weeks: each for each in outcomes})


SHIFTED_END = datetime.combine(END + timedelta(weeks=SHIFT, days=1), datetime.min.time(), VN)


def unlike(one: Event, two: Event) -> Iterator[str]:
    """What about a shifted event is otherwise than it should be."""
    if (two.origin, two.shiftdays) != ("shifted", 7 * SHIFT):
        yield "says nothing of the shift"
    if two.time - one.time != timedelta(weeks=SHIFT) or two.time >= SHIFTED_END:
        yield f"happens at {two.time}"
    if two.id == one.id:
        yield "has the same id"
    if not same_but_later(vars(one.data), vars(two.data)):
        yield f"tells {two.fields}"
    code = two.fields.get("dossier") or two.fields.get("code", "")
    if code.startswith("H99."):
        was = (one.fields.get("dossier") or one.fields["code"]).split("-")
        day = date.fromisoformat(f"20{was[1]}") + timedelta(weeks=SHIFT)
        if code != f"{was[0]}-{day:%y%m%d}-{was[2]}":
            yield "has another code"


def same_but_later(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether data are equal when every day and moment is moved by SHIFT weeks; codes and ids are looked at apart."""
    apart = {"code", "dossier", "transaction"}
    return one.keys() == two.keys() and all(
        (value + timedelta(weeks=SHIFT) if isinstance(value, date) else value) == two[name]
        for name, value in one.items()
        if name not in apart
    )


def test_it_is_the_same_each_time(november: Tally, beside: Beside) -> None:
    assert beside.digest == november.digest


@pytest.mark.parametrize("weeks", [0, SHIFT])
def test_half_a_percent_is_overdue_and_october_is_still_open_when_november_begins(weeks: int, beside: Beside) -> None:
    found = beside.outcomes[weeks]
    assert not found.wrong
    overdue = found.ended["overdue"] + found.ended["open_overdue"]
    assert overdue == printed(Decimal(found.ended.total()) / 200, "1")
    assert min(found.ended[name] for name in ("early", "on_time", "open", "overdue", "open_overdue")) > 0
    assert 300 < found.carried_over < 1_000


def test_a_shift_moves_times_days_and_codes_alike_and_keeps_what_came_after_the_end(beside: Beside) -> None:
    assert not beside.wrong
    assert (
        beside.kept == 8 + 7 + 14
    )  # the year's results of Resolution 02; the programmes' and documents' figures of April 2025


def test_events_of_different_shifts_share_no_id_but_those_that_are_not_shifted(november: Tally) -> None:
    shared = [e for e in november_2024.events(1) if e.source + e.id in november.ids]
    assert {e.origin for e in shared} == {"real"}
    # The year's targets are there too, so that its unshifted results can be compared with them.
    assert Counter(e.data.event for e in shared) == {"indicator.reported": 8 + 7 + 14, "indicator.target_set": 5}


@pytest.mark.parametrize("until", [date(2026, 11, 20) + timedelta(days=n) for n in range(8)])
def test_the_shift_ends_as_late_as_possible(until: date) -> None:
    end = END + timedelta(weeks=november_2024.shift_for(until))
    assert end <= until < end + timedelta(weeks=1)
    assert end.weekday() == END.weekday()


@pytest.mark.parametrize(("total", "count"), [(13_364_000, 1_234), (3_886_775_354, 595), (2_438_000, 103), (7, 1)])
def test_amounts_are_positive_thousands_that_make_the_total(total: int, count: int) -> None:
    from random import Random

    made = splits.amounts(total, count, Random(1))
    assert (len(made), sum(made)) == (count, total)
    assert min(made) > 0
    assert all(amount % 1000 == 0 for amount in made[:-1])


def test_load_lists_the_scenarios_and_names_them_when_asked_for_another() -> None:
    run = CliRunner().invoke(load, ["--list"])
    assert run.exit_code == 0
    assert [line.split()[0] for line in run.output.splitlines()] == list(SCENARIOS)
    wrong = CliRunner().invoke(load, ["december-2024"])
    assert wrong.exit_code == 2
    assert "november-2024" in wrong.output


def test_load_shifts_to_the_last_day_that_is_over_and_refuses_the_future() -> None:
    scenario, today = SCENARIOS["november-2024"], date(2026, 11, 22)  # a Sunday
    assert weeks_for(scenario, None, today) == 0
    assert weeks_for(scenario, "now", today) == weeks_for(scenario, "2026-11-21", today) == 103
    assert weeks_for(scenario, "now", today - timedelta(days=1)) == 102
    with pytest.raises(ValueError, match="2026-11-21"):
        weeks_for(scenario, "2026-11-28", today)
    with pytest.raises(ValueError, match="is no date"):
        weeks_for(scenario, "tomorrow", today)
