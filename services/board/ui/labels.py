"""Cells that call a source or an event by its name; its code shows to who points at it."""

from __future__ import annotations

from schemas.envelope import TYPE_PREFIX
from schemas.indicators.label_texts import Language, event_name, source_name
from services.board.ui.markup import Html, tag


def source_cell(source: str, language: Language) -> Html:
    """A source: `/simulator/social/forum`."""
    name = source_name(source, language)
    return tag("span", name, title=None if name == source else source)


def event_cell(type: str, language: Language) -> Html:
    """An event by its type: `vn.ioc.dossier.submitted.v1`."""
    event = type.removeprefix(TYPE_PREFIX).rpartition(".")[0]
    return tag("span", event_name(event, language), title=type)
