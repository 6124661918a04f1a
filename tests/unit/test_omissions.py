"""What a table of the code lacks is told in one line: where it is, what is missing, what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from tree import copy

from generate import files, generate, licences, omissions
from schemas import social, sources
from schemas.alerts import ALERTS, NAMES
from schemas.envelope import EventData
from schemas.indicators import CATALOGUE, SHEETS, Indicator, label_texts
from schemas.indicators.formula import Formula, Stock, Sum
from services.kit.settings import Settings

Change = Callable[[pytest.MonkeyPatch], object]
FEATURES = Stock("map_features")


def indicator(
    code: str = "map_new",
    vi: str = "Mới",
    en: str = "New",
    formula: Formula = FEATURES,
    unit: str = "feature",
    **more: str,
) -> Change:
    return lambda patch: patch.setitem(CATALOGUE, code, Indicator(code, vi, en, formula, unit, system="gis", **more))  # type: ignore[arg-type]


def alert(**texts: str) -> Change:
    return lambda patch: patch.setattr(omissions, "ALERTS", (replace(ALERTS[-1], **texts),))  # type: ignore[arg-type]


def measure(**words: str) -> Change:
    return lambda patch: patch.setattr(social, "MEASURES", (replace(social.MEASURES[0], **words), *social.MEASURES[1:]))  # type: ignore[arg-type]


def undescribed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Settings.model_fields["board_public"], "description", None)


GIS = "schemas/indicators/gis.py: the indicator 'map_new' "
CASES: dict[str, tuple[Change, str]] = {
    "a field without a meaning": (
        lambda patch: patch.setattr(social.MentionAggregated.model_fields["tone"], "description", None),
        "schemas/social.py: nobody says what the field MentionAggregated.tone means; give it a description: "
        'Field(description="…")',
    ),
    "an event without a sample": (
        lambda patch: patch.setattr(omissions.contracts, "stored", dict),
        "schemas/contracts/samples/crisis.opened.v1.json: is missing; write one event of that type there, as a team in "
        "another language would send it",
    ),
    "an event without a name for people": (
        lambda patch: patch.delitem(label_texts.EVENTS, "crisis.opened"),
        "schemas/social.py: CrisisOpened has no name for people; add a row to EVENTS in "
        "schemas/indicators/label_texts.py",
    ),
    "a measure without a name": (
        measure(en=" "),
        "schemas/social.py: the measure 'mentions' of social has no name in English; write it into its row",
    ),
    "two measures of one name": (
        measure(name="crises_opened"),
        "schemas/social.py: the measure 'crises_opened' of social has a name that another measure bears; name it "
        "otherwise",
    ),
    "an indicator with a missing word": (indicator(vi=""), GIS + "has no name in Vietnamese; write it into its row"),
    "an indicator of an unknown measure": (
        indicator(formula=Sum("map_feature")),
        GIS + "is made of 'map_feature', which is no measure; did you mean 'map_features'?",
    ),
    "an indicator of an unknown label": (
        indicator(formula=Stock("map_features", {"layr": ("camera",)})),
        GIS + "asks 'map_features' for the label 'layr'; it has layer",
    ),
    "an indicator that counts what has no word": (
        indicator(unit="features"),
        GIS + "counts 'features', for which there is no word; did you mean 'feature'? Else add a row to MEASURED in "
        "schemas/indicators/label_texts.py",
    ),
    "an indicator by a class that it has not": (
        indicator(classes="disease"),
        GIS + "is to be broken down by 'disease'; its formula has layer",
    ),
    "two indicators of one code": (
        lambda patch: patch.setitem(SHEETS, "gis", ("map_features", *SHEETS["gis"])),
        "schemas/indicators: 2 indicators have the code 'map_features'; give one another code",
    ),
    "an alert without a runbook": (
        lambda patch: patch.setattr(omissions, "NAMES", (*NAMES, "RiverHigh")),
        "docs/runbooks/RiverHigh.md: the alert RiverHigh has no runbook; write it as docs/runbooks/Watchdog.md: in "
        "both languages what it means (one bold sentence), what to look at, what to do",
    ),
    "a runbook without an alert": (
        lambda patch: patch.setattr(omissions, "NAMES", NAMES[:-1]),
        "docs/runbooks/Watchdog.md: there is no alert Watchdog; remove the file, or add the alert",
    ),
    "an alert without a text": (
        alert(do_en=""),
        "schemas/alerts: the alert Watchdog of platform has no text do_en; write it into its row",
    ),
    "an alert that says more in one language": (
        alert(vi="<count> nguồn"),
        "schemas/alerts: the alert Watchdog of platform says <count> in one language alone; write it into the "
        "other text too",
    ),
    "a setting without a meaning": (
        undescribed,
        "services/kit/settings.py: nobody says what the setting IOC_BOARD_PUBLIC means; give its Field a description",
    ),
    "a source without an emitter": (
        lambda patch: patch.setitem(sources.EMITTERS, "schools", ("attendance.",)),
        "schemas/sources.py: EMITTERS has 'schools', which has no module; write services/ingest/schools.py with an "
        "EMITTER, or remove the row",
    ),
}  # fmt: skip


def test_nothing_is_missing() -> None:
    assert omissions.omissions() == []


@pytest.mark.parametrize("case", CASES)
def test_what_is_missing_is_told_with_its_place_and_what_to_do(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change, line = CASES[case]
    change(monkeypatch)
    assert line in omissions.omissions()


def test_events_outside_every_table_and_without_words_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = social.CrisisOpened
    monkeypatch.setattr(omissions, "DATA_TYPES", {k: v for k, v in omissions.DATA_TYPES.items() if v is not opened})
    monkeypatch.setattr(social.CrisisClosed, "__doc__", None)
    monkeypatch.setattr(omissions, "FOLDS", {k: v for k, v in omissions.FOLDS.items() if k != "spike"})
    assert omissions.omissions()[:3] == [
        "schemas/social.py: CrisisClosed does not say what it means; give the class a docstring of one sentence",
        "schemas/social.py: CrisisOpened stands in no table of events; add it to EVENTS of that module",
        "schemas/social.py: TopicSpiked touches 'spike', which has no fold; add a row to FOLDS of that module",
    ]
    assert issubclass(opened, EventData)


def test_the_command_lists_what_is_missing_and_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOGUE, "map_new", Indicator("map_new", "", "", FEATURES, "feature", system="gis"))
    monkeypatch.setattr(files, "write", lambda *_: pytest.fail("written"))
    answer = CliRunner().invoke(generate)
    assert answer.exit_code == 1
    assert answer.output.startswith("Error: 2 missing; nothing written\n  " + GIS)


def test_a_row_that_cannot_be_made_is_told_by_its_line(tmp_path: Path) -> None:
    tree = copy(tmp_path)
    row = '    Indicator("map_wifi", "Điểm Wi-Fi", Stock("map_features"), "feature"),\n    *stated(SYSTEM),'
    tree.edit("schemas/indicators/gis.py", "    *stated(SYSTEM),", row)
    lines = (tmp_path / "schemas/indicators/gis.py").read_text("utf-8").splitlines()
    number = 1 + next(n for n, line in enumerate(lines) if "map_wifi" in line)
    answer = tree.ioc("generate")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"Error: schemas/indicators/gis.py:{number}: TypeError: ")
    assert "Traceback" not in answer.stderr and "missing 1 required positional argument: 'unit'" in answer.stderr


@pytest.mark.parametrize(
    ("stated", "licence"),
    [
        ({"license_expression": "MIT", "license": "other"}, "MIT"),
        ({"license": "BSD-3-Clause", "classifier": ["License :: OSI Approved :: MIT License"]}, "BSD-3-Clause"),
        ({"license": "Dual License", "classifier": ["License :: OSI Approved :: MIT License"]}, "MIT"),
        ({"license": "BSD-derived (see the site)"}, "BSD-derived"),
        ({"classifier": ["Topic :: Internet"]}, ""),
    ],
)
def test_a_licence_is_what_the_metadata_says(stated: dict[str, object], licence: str) -> None:
    assert licences.stated_in(stated) == licence


def test_a_package_that_is_not_as_pinned_is_told() -> None:
    with pytest.raises(licences.Unlisted, match=r"of click 1\.0 is pinned but .* installed; run"):
        licences.licence("click", "1.0")
    with pytest.raises(licences.Unlisted, match="no-such-package is pinned but not installed"):
        licences.licence("no-such-package", "1.0")


def test_every_pinned_package_has_its_line_whatever_machine_it_is_for() -> None:
    lock = "a==1.0 \\\n    --hash=sha256:00\nb[x]==2 ; platform_machine != 'i386' \\\n    --hash=sha256:00\n"
    assert licences.pinned(lock) == {"a": "1.0", "b": "2"}
    assert licences.asked_for(["a>=1,<2", "psycopg[binary,pool]>=3.3"]) == {"a", "psycopg"}
