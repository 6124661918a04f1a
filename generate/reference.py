"""The reference page: settings, metrics, commands, events and indicators, written from what the code itself
declares."""

from __future__ import annotations

from collections.abc import Iterator

HOME_SETTINGS = {
    "IOC_HOME": "where all state lies; `.ioc` beside the checkout",
    "IOC_INSTANCE": "which centre a command speaks of, as `--instance`",
    "IOC_PYTHON": "the Python to make `.venv` with",
    "IOC_RUN_AS": "the account PostgreSQL runs as when root starts it; `nobody`",
}


def page() -> str:
    """The page as Markdown."""
    parts = (
        _settings(),
        _commands(),
        _metrics(),
        _exporter(),
        _alerts(),
        _retention(),
        _events(),
        _reasons(),
        _measures(),
        _indicators(),
    )
    return "<!-- written by `ioc generate`; do not edit -->\n# Reference\n\n" + "\n".join(
        "\n".join(p) + "\n" for p in parts
    )


def files() -> dict[str, str]:
    """The page as the one file it is."""
    return {"docs/reference.md": page()}


def _table(title: str, *columns: str) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") for c in cells) + " |"


def _settings() -> Iterator[str]:
    from services.kit.settings import Settings

    yield from _table("Settings", "variable", "meaning", "default")
    for name, field in Settings.model_fields.items():
        yield _row(f"`IOC_{name.upper()}`", field.description, f"`{field.default}`")
    for name, meaning in HOME_SETTINGS.items():
        yield _row(f"`{name}`", meaning, "")


def _commands() -> Iterator[str]:
    from services.cli.app import COMMANDS

    yield from _table("Commands", "command", "what it is for")
    for name, (_, purpose) in COMMANDS.items():
        yield _row(f"`ioc {name}`", purpose)


def _metrics() -> Iterator[str]:
    from services.kit import metrics

    yield from _table("Metrics of the services", "metric", "labels", "meaning")
    for metric in vars(metrics).values():
        if hasattr(metric, "_documentation"):
            suffix = "_total" if metric._type == "counter" else ""
            labels = ", ".join(metric._labelnames)
            yield _row(f"`{metric._name}{suffix}`", labels, metric._documentation)


def _exporter() -> Iterator[str]:
    from services.exporter.catalogue import metrics

    yield from _table("Metrics of the centre, from the exporter", "metric", "kind", "labels", "meaning")
    for m in metrics():
        yield _row(f"`{m.name}`", m.kind, ", ".join(m.labels), m.meaning)


def _alerts() -> Iterator[str]:
    from schemas.alerts import ALERTS

    yield from _table("Alerts", "alert", "system", "severity", "for", "Vietnamese", "English")
    shown = set()
    for a in ALERTS:
        if a.name not in shown:
            shown.add(a.name)
            name = f"[{a.name}](runbooks/{a.name}.md)"
            yield _row(name, a.system, a.severity, a.hold, _prose(a.vi), _prose(a.en))


def _prose(text: str) -> str:
    """A template's tokens in a form that Markdown shows."""
    return text.replace("<", "‹").replace(">", "›")


def _retention() -> Iterator[str]:
    from services.upkeep.retention_rules import retention_rules

    yield from _table("What is kept how long", "what", "until", "meaning")
    for row in retention_rules():
        yield _row(*row)


def _events() -> Iterator[str]:
    from schemas.registry import DATA_TYPES

    yield from _table("Events", "type", "system", "meaning")
    for name, data in DATA_TYPES.items():
        yield _row(f"`{name}`", data.system, (data.__doc__ or "").strip().split("\n")[0])


def _reasons() -> Iterator[str]:
    from schemas.envelope import REASONS

    yield from _table("Why an event is refused", "code", "meaning")
    for code, meaning in REASONS.items():
        yield _row(f"`{code}`", meaning)


def _measures() -> Iterator[str]:
    from schemas.registry import MEASURES

    yield from _table("Measures", "measure", "unit", "labels", "Vietnamese", "English")
    for m in MEASURES.values():
        yield _row(f"`{m.name}`", m.unit, ", ".join(m.labels), m.vi, m.en)


def _indicators() -> Iterator[str]:
    from schemas.indicators import CATALOGUE
    from schemas.indicators.formula import describe

    yield from _table("Indicators", "code", "system", "Vietnamese", "English", "unit", "target", "formula")
    for i in CATALOGUE.values():
        target = "" if i.target is None else f"{'≤' if i.better == 'lower' else '≥'} {i.target}"
        yield _row(f"`{i.code}`", i.system, i.vi, i.en, i.unit, target, describe(i.formula))
