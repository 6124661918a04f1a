"""What a formula asks of the database: its leaves, as the SQL function `figure_leaves` takes them. Readings and Grafana's
panels ask the same way."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from schemas.indicators.formula import Distinct, Last, Leaf, Median, Statement, Stock, Sum
from schemas.registry import covering


def wanted(leaf: Leaf) -> str:
    """A leaf as a JSON object; equal leaves give equal texts.

    `form`; `of`: its measure or statistic; `where`: label -> its chosen values; `detail`: which sum, end, label or part;
    `covered`: the measures that tell 0 from unknown; `over`: how statements of several units become one.
    """
    match leaf:
        case Statement(indicator, part, over):
            return _json(form="stated", of=indicator, detail=part, over=over)
        case Sum(of=detail) | Stock(at=detail) | Distinct(label=detail):
            return _measured(leaf, detail)
        case Last() | Median():
            return _measured(leaf, None)
    raise TypeError(leaf)


def wanted_all(leaves: Iterable[str]) -> str:
    """Leaves, each as `wanted` gives it, as the function's last argument; they are numbered from 1."""
    return f"[{', '.join(leaves)}]"


def _measured(leaf: Sum | Stock | Last | Distinct | Median, detail: str | None) -> str:
    where = {label: list(values) for label, values in sorted(leaf.where.items())}
    form = type(leaf).__name__.lower()
    return _json(form=form, of=leaf.measure, where=where or None, detail=detail, covered=covering(leaf.measure))


def _json(**values: Any) -> str:
    return json.dumps({name: value for name, value in values.items() if value is not None}, ensure_ascii=False)
