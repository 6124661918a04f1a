"""Prometheus's rules and the alert manager's configuration, tried by their own tools and on a running alert manager."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import pytest

from infra.local import configure
from infra.local.processes import DEFAULT_PORTS
from infra.local.servers import Instance
from infra.prometheus.rules import files
from schemas.alerts import ALERTS
from schemas.indicators import CATALOGUE
from schemas.indicators.formula import UnitMean

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / "infra" / "prometheus" / "rules").glob("*.yml"))
UNIT_INFO = (
    'ioc_unit_info{unit="chon_thanh",name_vi="Thị xã Chơn Thành",name_en="Chon Thanh Town",level="district",'
    'parent="binh_phuoc"}'
)

Told = tuple[str, dict[str, Any]]
"""The name of an alert, and what promtool must find of it."""

# code -> metric with its own period, target as printed, what just reaches it when rounded as printed, what just misses
TARGETS = {
    "on_time_share": ("ioc_procedures_on_time_ratio", "month", "98%", 0.97996, 0.9799, "97.99%"),
    "online_dossier_share": ("ioc_procedures_online_dossier_ratio", "month", "50%", 0.4996, 0.499, "49.9%"),
    "online_dossier_share_mean": ("ioc_procedures_online_dossier_share_mean_ratio", "month", "50%", 0.49996, 0.4999, "49.99%"),
    "online_service_share": ("ioc_procedures_online_service_ratio", "month", "80%", 0.7996, 0.799, "79.9%"),
    "online_service_share_mean": ("ioc_procedures_online_service_share_mean_ratio", "month", "80%", 0.79996, 0.7999, "79.99%"),
    "paid_online_share": ("ioc_procedures_paid_online_ratio", "month", "45%", 0.44996, 0.4499, "44.99%"),
    "electronic_result_share": ("ioc_procedures_electronic_result_ratio", "month", "100%", 0.99996, 0.9999, "99.99%"),
    "digitised_share": ("ioc_procedures_digitised_ratio", "month", "80%", 0.79996, 0.7999, "79.99%"),
    "reused_share": ("ioc_procedures_reused_ratio", "month", "50%", 0.49996, 0.4999, "49.99%"),
    "synchronised_share": ("ioc_procedures_synchronised_ratio", "month", "100%", 0.99996, 0.9999, "99.99%"),
    "satisfaction_share": ("ioc_procedures_satisfaction_ratio", "month", "90%", 0.89996, 0.8999, "89.99%"),
    "attendance_share": ("ioc_education_attendance_ratio", "month", "95%", 0.94996, 0.9499, "94.99%"),
    "school_fees_cashless_share": ("ioc_education_school_fees_cashless_ratio", "month", "80%", 0.79996, 0.7999, "79.99%"),
    "antivirus_coverage": ("ioc_security_antivirus_coverage_ratio", "now", "100%", 0.99996, 0.9999, "99.99%"),
    "reports_in_time_share": ("ioc_field_reports_in_time_ratio", "month", "95%", 0.94996, 0.9499, "94.99%"),
    "report_satisfaction": ("ioc_field_report_satisfaction_ratio", "month", "90%", 0.89996, 0.8999, "89.99%"),
}  # fmt: skip
UNITS = {"all": ("Toàn địa bàn", "Whole locality"), "chon_thanh": ("Thị xã Chơn Thành", "Chon Thanh Town")}
SYSTEMS = {
    "economy": ("Kinh tế - xã hội", "Socio-economic"),
    "education": ("Giáo dục", "Education"),
    "health": ("Y tế", "Health"),
    "gis": ("Thông tin địa lý", "Geographic information"),
    "security": ("An toàn thông tin", "Information security"),
    "field": ("Phản ánh hiện trường", "Field reports"),
    "social": ("Lắng nghe mạng xã hội", "Social listening"),
}


@pytest.fixture(scope="module")
def watch(open_folder: Path, new_instance: Callable[[Path], Instance]) -> Iterator[Instance]:
    """A centre of which at most the alert manager runs."""
    instance = new_instance(open_folder / "watch")
    yield instance
    instance.stop()


def run(instance: Instance, program: str, *arguments: str | Path) -> str:
    """What one of the tools says; it must be content."""
    tool = instance.programs(["prometheus"])[program]
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return done.stdout


# --- rules ---


def test_rules_are_what_the_tables_say(watch: Instance) -> None:
    assert [text for path, text in files().items() if (ROOT / path).read_text(encoding="utf-8") != text] == []
    assert len(RULES) == 9
    run(watch, "promtool", "check", "rules", "--lint=all", "--lint-fatal", *RULES)


@pytest.mark.parametrize("file", sorted((ROOT / "tests" / "prometheus").glob("*.yml")), ids=lambda f: f.stem)
def test_alerts_fire_and_stay_silent(watch: Instance, file: Path) -> None:
    assert "SUCCESS" in run(watch, "promtool", "test", "rules", file)


def test_a_missed_target_is_told_of_the_locality_and_of_each_unit(watch: Instance, tmp_path: Path) -> None:
    assert TARGETS.keys() | {"overdue_share"} == {i.code for i in CATALOGUE.values() if i.target and i.better}
    told = [
        _short(code, period, unit, aim, said)
        for code, (_, period, aim, *_, said) in TARGETS.items()
        for unit in UNITS
        if unit == "all" or not _is_mean(code)
    ]
    _prove(watch, tmp_path, _targets("reached"), [])
    _prove(watch, tmp_path, _targets("missed"), told)


def _targets(outcome: Literal["reached", "missed"]) -> list[tuple[str, float]]:
    """Every figure with a target, of the locality and of a unit."""
    return [
        (f'{metric}{{unit="{unit}",period="{period}"}}', reached if outcome == "reached" else missed)
        for metric, period, _, reached, missed, _ in TARGETS.values()
        for unit in UNITS
    ] + [(_aim(code, unit), float(row[2].rstrip("%")) / 100) for code, row in TARGETS.items() for unit in UNITS]


def _aim(code: str, unit: str) -> str:
    return f'ioc_target{{indicator="{code}",unit="{unit}"}}'


def test_a_target_that_is_set_is_held_against_a_figure_that_has_none_of_its_own(
    watch: Instance, tmp_path: Path
) -> None:
    """Counts, times and points alike, of one unit alone; of the others nothing is told."""
    rows = (
        ("dossiers_open_overdue", "ioc_procedures_dossiers_open_overdue", "now", 7, 5, ("7", "7"), ("5", "5")),
        ("processing_time_mean", "ioc_procedures_processing_time_mean_seconds", "month", 7200, 3600,
         ("2 giờ 0 phút 0 giây", "2h 0m 0s"), ("1 giờ 0 phút 0 giây", "1h 0m 0s")),
        ("index766_points", "ioc_procedures_index766_points", "month", 79.96, 80, ("79,96", "79.96"), ("80", "80")),
        ("pupils_per_class", "ioc_education_pupils_per_class", "now", 40.2, 35.5, ("40,20", "40.20"), ("35,5", "35.5")),
    )  # fmt: skip
    series, told = list[tuple[str, float]](), list[Told]()
    for code, metric, period, value, aim, said, aims in rows:
        series += [(f'{metric}{{unit="{unit}",period="{period}"}}', value) for unit in ("chon_thanh", "binh_long")]
        series.append((_aim(code, "chon_thanh"), aim))
        name, alert = _short(code, period, "chon_thanh", aims[1], said[1])
        vi = f"Thị xã Chơn Thành: {CATALOGUE[code].vi} là {said[0]}, chưa đạt chỉ tiêu {aims[0]}"
        told.append((name, alert | {"exp_annotations": alert["exp_annotations"] | {"summary_vi": vi}}))
    _prove(watch, tmp_path, series, told)


def _is_mean(code: str) -> bool:
    """Whether the figure is a mean of units, which is told of the locality alone."""
    return isinstance(CATALOGUE[code].formula, UnitMean)


def _short(code: str, period: str, unit: str, aim: str, said: str) -> Told:
    """The alert that a figure of a unit falls short of its target."""
    indicator, whole = CATALOGUE[code], unit == "all"
    name = "IndicatorBelowTarget" if whole else "UnitBelowTarget"
    severity = "warning" if whole else "info"
    actions = {
        "IndicatorBelowTarget": (
            "Xem bảng xếp hạng đơn vị, đôn đốc các đơn vị thấp nhất và yêu cầu báo cáo nguyên nhân trong ngày.",
            "Open the ranking of units, press the lowest ones and have them give their reasons within the day.",
        ),
        "UnitBelowTarget": (
            "Đơn vị rà soát nguyên nhân và đăng ký thời điểm đạt chỉ tiêu với Văn phòng UBND.",
            "The unit looks into the reasons and tells the People's Committee's office when it will reach the target.",
        ),
    }[name]
    summary = (
        f"{UNITS[unit][0]}: {indicator.vi} là {said.replace('.', ',')}, chưa đạt chỉ tiêu {aim}",
        f"{UNITS[unit][1]}: {indicator.en} is {said}, short of the target of {aim}",
    )
    marks = {"severity": severity, "system": indicator.system, "unit": unit, "period": period, "indicator": code}
    return name, _alert(marks, name, summary, actions)


def test_a_silent_source_is_told_of_in_every_system(watch: Instance, tmp_path: Path) -> None:
    series, told = [], []
    for system, (vi, en) in SYSTEMS.items():
        source = f"/simulator/{system}/gateway"
        labels = {"severity": "warning", "system": system, "unit": "all", "source": source, "origin": "simulated"}
        summary = (
            f"Toàn địa bàn: nguồn {source} của hệ thống {vi} không gửi dữ liệu lâu hơn mức bình thường; "
            "số liệu có thể đã cũ",
            f"Whole locality: source {source} of {en} has been silent for longer than it ever is; figures may be old",
        )
        action = (
            "Kiểm tra đường truyền và phần mềm nguồn; báo người dùng rằng số liệu của nguồn này đang chờ cập nhật.",
            "Check the line and the source system; tell readers that this source's figures wait for news.",
        )
        series.append(f'ioc_source_stale{{system="{system}",source="{source}",origin="simulated"}}')
        told.append(("SourceStale", _alert(labels, "SourceStale", summary, action)))
    _prove(watch, tmp_path, [(name, 0) for name in series], [])
    _prove(watch, tmp_path, [(name, 1) for name in series], told)


def _alert(labels: Mapping[str, str], name: str, summary: tuple[str, str], action: tuple[str, str]) -> dict[str, Any]:
    said = {"summary_vi": summary[0], "summary_en": summary[1], "action_vi": action[0], "action_en": action[1]}
    where = {
        "dashboard_url": f"/d/ioc-{labels['system']}?var-unit={labels['unit']}",
        "runbook_url": f"/runbooks/{name}",
    }
    return {"exp_labels": dict(labels), "exp_annotations": said | where}


def _prove(instance: Instance, folder: Path, series: list[tuple[str, float]], told: list[Told]) -> None:
    """Values that stay the same for six hours, and exactly the alerts that must then be on."""
    names = ("IndicatorBelowTarget", "UnitBelowTarget", "SourceStale")
    test = {
        "interval": "5m",
        "input_series": [{"series": name, "values": f"{value}x80"} for name, value in [*series, (UNIT_INFO, 1)]],
        "alert_rule_test": [
            {"alertname": name, "eval_time": "6h", "exp_alerts": [alert for of, alert in told if of == name]}
            for name in names
        ],
    }
    text = {"rule_files": [str(rule) for rule in RULES], "evaluation_interval": "5m", "tests": [test]}
    file = folder / "tests.yml"  # JSON is YAML
    file.write_text(json.dumps(text, ensure_ascii=False), encoding="utf-8")
    assert "SUCCESS" in run(instance, "promtool", "test", "rules", file)


# --- configuration ---


def test_the_configuration_of_prometheus_is_valid_and_finds_the_rules(watch: Instance, tmp_path: Path) -> None:
    configure.prometheus(tmp_path, DEFAULT_PORTS, {"exporter": "health_aggregator"}, interval="1s")
    said = run(watch, "promtool", "check", "config", tmp_path / "prometheus" / "prometheus.yml")
    assert f"{len(RULES)} rule files found" in said
    assert "evaluation_interval: 1s" in (tmp_path / "prometheus" / "prometheus.yml").read_text()


def test_every_alert_is_routed_to_the_notifier(watch: Instance, tmp_path: Path) -> None:
    configure.alertmanager(tmp_path, DEFAULT_PORTS)
    file = tmp_path / "alertmanager" / "alertmanager.yml"
    run(watch, "amtool", "check-config", file)
    kinds = {(a.severity, a.name) if a.name == "Watchdog" else (a.severity, "Any") for a in ALERTS}
    assert len(kinds) == 4
    for severity, name in kinds:
        labels = (f"severity={severity}", f"alertname={name}")
        run(
            watch, "amtool", "config", "routes", "test", f"--config.file={file}", "--verify.receivers=notifier", *labels
        )
    tree = run(watch, "amtool", "config", "routes", "show", f"--config.file={file}")
    assert [
        part for part in ('alertname="Watchdog"', 'severity="critical"', 'severity="info"') if part not in tree
    ] == []


# --- a running alert manager ---


def labels(name: str, unit: str = "all", system: str = "", **more: str) -> dict[str, str]:
    """The labels with which the first rule of that name (in that system) fires."""
    alert = next(a for a in ALERTS if a.name == name and system in ("", a.system))
    fixed = {"alertname": name, "severity": alert.severity, "system": alert.system, "unit": unit}
    return fixed | ({"family": alert.family} if alert.family else {}) | more


Key = tuple[str, str, str]  # name, unit, and the folder or source

FIRING = [
    labels("DossiersOverdue", "chon_thanh"),
    labels("DossiersOverdue", "binh_long"),
    labels("DossiersDueToday", "chon_thanh"),
    labels("SourceStale", "chon_thanh", "procedures", source="/procedures/chon_thanh"),
    labels("SourceStale", "all", "procedures", source="/simulator/procedures/ratings"),
    labels("SourceStale", "all", "field", source="/simulator/field/app"),
    labels("ReportsOverdue", "binh_long"),
    labels("ReportsNotRouted", "chon_thanh"),
    labels("OverdueShareAboveTarget", "binh_long"),
    labels("OverdueShareCritical", "binh_long"),
    labels("OverdueShareAboveTarget", "loc_ninh"),
    labels("DiskFilling", folder="/data"),
    labels("DiskFilling", folder="/backups"),
    labels("DiskNearlyFull", folder="/data"),
    labels("ExporterDown"),
    labels("DatabaseDown"),
    labels("FiguresOld"),
    labels("AttendanceDrop", "chon_thanh"),
]
SILENT: set[Key] = {
    ("DossiersOverdue", "chon_thanh", ""),
    ("DossiersDueToday", "chon_thanh", ""),
    ("ReportsOverdue", "binh_long", ""),
    ("ReportsNotRouted", "chon_thanh", ""),
    ("OverdueShareAboveTarget", "binh_long", ""),
    ("DiskFilling", "all", "/data"),
}


def test_what_is_doubtful_or_said_already_is_silent_and_the_rest_reaches_the_notifier(watch: Instance) -> None:
    watch.start(["alertmanager"])
    (watch.secrets / "alertmanager").write_text("a-token")
    with _listening(watch.ports["notifier"]) as (tokens, received):
        api = f"http://127.0.0.1:{watch.ports['alertmanager']}/api/v2/alerts"
        now = datetime.now(UTC).isoformat()
        # What silences others is there first: Alertmanager looks at each alert as it comes.
        loud_ones = [one for one in FIRING if _key(one) not in SILENT]
        _post(api, [{"labels": one, "startsAt": now} for one in loud_ones])
        _states(api, len(loud_ones))
        _post(api, [{"labels": one, "startsAt": now} for one in FIRING if one not in loud_ones])
        states = _states(api, len(FIRING))
        assert {key for key, state in states.items() if state == "suppressed"} == SILENT
        loud = states.keys() - SILENT
        end = time.monotonic() + 15
        while {_key(labels) for labels in received} != loud:
            assert time.monotonic() < end, received
            time.sleep(0.05)
    assert tokens == {"Bearer a-token"}


@contextmanager
def _listening(port: int) -> Iterator[tuple[set[str], list[dict[str, str]]]]:
    """A notifier's door: the tokens it was shown, and the labels of each alert handed in, as they come."""
    tokens: set[str] = set()
    received: list[dict[str, str]] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            tokens.add(self.headers["Authorization"])
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.extend(alert["labels"] for alert in body["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield tokens, received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _key(found: Mapping[str, str]) -> Key:
    return found["alertname"], found["unit"], found.get("folder", found.get("source", ""))


def _states(api: str, number: int) -> dict[Key, str]:
    """What the alert manager makes of each, once it has thought about all."""
    end = time.monotonic() + 15
    while True:
        with urllib.request.urlopen(api) as answer:
            found = {_key(alert["labels"]): alert["status"]["state"] for alert in json.load(answer)}
        if len(found) == number and "unprocessed" not in found.values():
            return found
        assert time.monotonic() < end, found
        time.sleep(0.05)


def _post(address: str, body: object) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)
    urllib.request.urlopen(request).close()
