"""What the tables of the code lack: each thing by where it is, what is missing and what to do about it.

A table refers to others: an event's field to its meaning, an alert to its runbook, an indicator to a measure and to
words in two languages. Whoever adds a row learns here, before anything is written, what the row still needs.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

from schemas import contracts
from schemas.alerts import ALERTS, NAMES, Alert
from schemas.contracts.json_schemas import meanings
from schemas.envelope import EventData
from schemas.indicators import CATALOGUE, SHEETS, Indicator, label_texts
from schemas.indicators.formula import Distinct, Statement, leaves
from schemas.indicators.label_texts import CLASS_TITLES, EVENTS, MEASURED, labels
from schemas.indicators.metric import WINDOWS
from schemas.registry import DATA_TYPES, FOLDS, MEASURES, SYSTEMS
from schemas.sources import EMITTERS
from services.kit import clock
from services.kit.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
RUNBOOKS = "docs/runbooks"
SIGNS = ("%", "VND")
"""What an indicator counts that is said by a sign and not by a word."""


def omissions() -> list[str]:
    """Everything that is missing, one line each; empty where all tables are whole."""
    parts = (
        _events(),
        _fields(),
        _samples(),
        _measures(),
        _indicators(),
        _alerts(),
        _runbooks(),
        _settings(),
        _sources(),
    )
    return [line for part in parts for line in part]


def _events() -> Iterator[str]:
    for data in sorted(_types(EventData), key=lambda data: data.__name__):
        where = f"{_file(data)}: {data.__name__}"
        if data not in DATA_TYPES.values():
            yield f"{where} stands in no table of events; add it to EVENTS of that module"
            continue
        if not (data.__doc__ or "").strip():
            yield f"{where} does not say what it means; give the class a docstring of one sentence"
        if data.event not in EVENTS:
            yield f"{where} has no name for people; add a row to EVENTS in {_module(label_texts)}"
        for kind, names in data.entities.items():
            if kind not in FOLDS:
                yield f"{where} touches {kind!r}, which has no fold; add a row to FOLDS of that module"
            for name in {*names} - {"unit", *data.model_fields}:
                yield f"{where} takes the id of {kind!r} from {name!r}, which is no field of it; add the field"


def _types(base: type[EventData]) -> Iterator[type[EventData]]:
    """The classes of the language that name an event of their own."""
    for data in base.__subclasses__():
        if "event" in vars(data) and data.__module__.startswith("schemas."):
            yield data
        yield from _types(data)


def _file(what: type) -> str:
    return str(Path(inspect.getfile(what)).relative_to(ROOT))


def _fields() -> Iterator[str]:
    for data in DATA_TYPES.values():
        for field, meaning in meanings(data).items():
            if not meaning:
                where = f"{_file(data)}: nobody says what the field {data.__name__}.{field} means"
                yield f'{where}; give it a description: Field(description="…")'


def _module(module: object) -> str:
    return str(Path(inspect.getfile(module)).relative_to(ROOT))  # type: ignore[arg-type]


def _samples() -> Iterator[str]:
    for line in contracts.unaccepted(contracts.stored(), clock.now()):
        advice = "write one event of that type there, as a team in another language would send it"
        yield f"{contracts.FOLDER}{line}; " + (
            advice if line.endswith("is missing") else "mend the type, not the sample"
        )


def _measures() -> Iterator[str]:
    times = Counter(m.name for module, *_ in SYSTEMS.values() for m in module.MEASURES)
    for slug, (module, *_) in SYSTEMS.items():
        for m in module.MEASURES:
            where = f"{_module(module)}: the measure {m.name!r} of {slug}"
            if times[m.name] > 1:
                yield f"{where} has a name that another measure bears; name it otherwise"
            for words, language in ((m.vi, "Vietnamese"), (m.en, "English")):
                if not words.strip():
                    yield f"{where} has no name in {language}; write it into its row"


def _indicators() -> Iterator[str]:
    times = Counter(code for slug in SYSTEMS for code in SHEETS[slug])
    for code, number in times.items():
        if number > 1:
            yield f"schemas/indicators: {number} indicators have the code {code!r}; give one another code"
    for indicator in CATALOGUE.values():
        for lack in _of_indicator(indicator):
            yield f"schemas/indicators/{indicator.system}.py: the indicator {indicator.code!r} {lack}"


def _of_indicator(i: Indicator) -> Iterator[str]:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", i.code):
        yield "has no fit code; write a-z, 0-9 and _, a letter first"
    for words, language in ((i.vi, "Vietnamese"), (i.en, "English")):
        if not words.strip():
            yield f"has no name in {language}; write it into its row"
    if i.unit not in (*MEASURED, *SIGNS):
        near = "".join(f"did you mean {word!r}? Else " for word in get_close_matches(i.unit, MEASURED, n=1))
        yield f"counts {i.unit!r}, for which there is no word; {near}add a row to MEASURED in {_module(label_texts)}"
    if i.target is not None and not i.better:
        yield 'has a target and does not say what is good; write better="higher" or better="lower"'
    for window in {*i.windows} - WINDOWS.keys():
        yield f"is watched for {window!r}; there are {', '.join(WINDOWS)}"
    broken = list(_of_formula(i))
    yield from broken
    if i.classes and not broken:
        yield from _of_classes(i)


def _of_formula(i: Indicator) -> Iterator[str]:
    for leaf in leaves(i.formula):
        if isinstance(leaf, Statement):
            continue
        if leaf.measure not in MEASURES:
            near = get_close_matches(leaf.measure, MEASURES, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "; add it to MEASURES of its system"
            yield f"is made of {leaf.measure!r}, which is no measure{hint}"
            continue
        measured_by = MEASURES[leaf.measure].labels
        for label in [*leaf.where, *([leaf.label] if isinstance(leaf, Distinct) else [])]:
            if label not in measured_by:
                yield f"asks {leaf.measure!r} for the label {label!r}; it has {', '.join(measured_by) or 'none'}"


def _of_classes(i: Indicator) -> Iterator[str]:
    if i.classes not in labels(i.formula):
        yield f"is to be broken down by {i.classes!r}; its formula has {', '.join(labels(i.formula)) or 'no labels'}"
    if not {i.classes, f"{i.system}.{i.classes}"} & CLASS_TITLES.keys():
        table = f"CLASS_TITLES in {_module(label_texts)}"
        yield f"is broken down by {i.classes!r}, which has no title; add a row to {table}"


def _alerts() -> Iterator[str]:
    for alert in ALERTS:
        for lack in _of_alert(alert):
            yield f"schemas/alerts: the alert {alert.name} of {alert.system} {lack}"


def _of_alert(alert: Alert) -> Iterator[str]:
    for name in ("vi", "en", "do_vi", "do_en"):
        if not getattr(alert, name).strip():
            yield f"has no text {name}; write it into its row"
    vi, en = (set(re.findall(r"<\w+>", text)) for text in (alert.vi, alert.en))
    for token in sorted(vi ^ en):
        yield f"says {token} in one language alone; write it into the other text too"


def _runbooks() -> Iterator[str]:
    form = (
        "as docs/runbooks/Watchdog.md: in both languages what it means (one bold sentence), what to look at, what to do"
    )
    for name in NAMES:
        file = ROOT / RUNBOOKS / f"{name}.md"
        if not file.exists():
            yield f"{RUNBOOKS}/{name}.md: the alert {name} has no runbook; write it {form}"
        elif (bold := len(re.findall(r"^\*\*.+?\*\*", file.read_text("utf-8"), re.MULTILINE))) != 2:
            yield f"{RUNBOOKS}/{name}.md: has {bold} lines that begin with a bold sentence, not 2; write it {form}"
    for file in sorted((ROOT / RUNBOOKS).glob("*.md")):
        if file.stem not in (*NAMES, "README"):
            yield f"{RUNBOOKS}/{file.name}: there is no alert {file.stem}; remove the file, or add the alert"


def _settings() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        if not field.description:
            advice = "give its Field a description"
            yield f"{_file(Settings)}: nobody says what the setting IOC_{name.upper()} means; {advice}"


def _sources() -> Iterator[str]:
    for name in EMITTERS:
        if find_spec(f"services.ingest.{name}") is None:
            advice = f"write services/ingest/{name}.py with an EMITTER, or remove the row"
            yield f"schemas/sources.py: EMITTERS has {name!r}, which has no module; {advice}"
