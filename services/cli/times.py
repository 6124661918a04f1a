"""Days and moments as options of a command, read by the house's one parser (`schemas.text.moments`)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Literal

import click

Edge = Literal["first", "last"]


class Day(click.ParamType[date]):
    """A local day; with an edge also a month, of which that day is meant."""

    name = "day"

    def __init__(self, edge: Edge | None = None) -> None:
        self.edge = edge

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Text -> local day."""
        from schemas.text import moments

        if isinstance(value, date):
            return value
        try:
            written = moments.read(value, _today())
            return written.days()[self.edge == "last"] if self.edge else written.day()
        except moments.NoMoment as wrong:
            self.fail(str(wrong), param, ctx)


class Moment(click.ParamType[datetime]):
    """An instant; of a day or month its first or last instant is meant. Without an offset it is local."""

    name = "moment"

    def __init__(self, edge: Edge) -> None:
        self.edge = edge

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Text -> aware instant (UTC)."""
        from schemas.text import moments

        if isinstance(value, datetime):
            return value
        try:
            written = moments.read(value, _today())
        except moments.NoMoment as wrong:
            self.fail(str(wrong), param, ctx)
        return (written.end if self.edge == "last" else written.first).astimezone(UTC)


def _today() -> date:
    from schemas.calendar import local_day
    from services.kit import clock

    return local_day(clock.now())
