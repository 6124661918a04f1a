"""HTML by hand where a whole block is one thing: everything that is not marked as HTML is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

STYLES = ("board", "pages", "work", "devices")
"""The style sheets in their order: the last, for phones and paper, goes over the others."""
VOID = frozenset(("br", "hr", "img", "input", "link", "meta", "source"))
"""Elements without content, and so without an end."""


class Html(str):
    """Text that is HTML already."""


def esc(value: object) -> Html:
    """Any value as HTML text; HTML stays as it is."""
    return value if isinstance(value, Html) else Html(html.escape(str(value), quote=True))


def tag(name: str, /, *content: object, **attributes: object) -> Html:
    """An element; attributes that are None are left out, `class_` is written `class`, `_` becomes `-`."""
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{esc(value)}"' for key, value in attributes.items() if value is not None
    )
    end = "" if name in VOID else f"</{name}>"
    return Html(f"<{name}{named}>{''.join(esc(part) for part in content)}{end}")


def link(target: str, *content: object, **attributes: object) -> Html:
    """A link within the board."""
    return tag("a", *content, href=target, **attributes)


def table(
    heads: Sequence[object], rows: Iterable[Sequence[object]], numeric: Iterable[int] = (), **attributes: object
) -> Html:
    """A table; the first cell of a row is its header, columns in `numeric` are set right. Each other cell knows
    the head of its column, for screens too narrow for columns."""
    right = set(numeric)
    names = [re.sub("<[^>]*>", "", h) if isinstance(h, Html) else h for h in heads]

    def cell(name: str, place: int, value: object, **more: object) -> Html:
        return tag(name, value, class_="n" if place in right else None, **more)

    head = tag("tr", *(cell("th", i, h, scope="col") for i, h in enumerate(heads)))
    body = [
        tag(
            "tr",
            *(cell("td", i, v, data_head=names[i]) if i else cell("th", i, v, scope="row") for i, v in enumerate(row)),
        )
        for row in rows
    ]
    return tag("table", tag("thead", head), tag("tbody", *body), **attributes)


def styles() -> Html:
    """The links to the style sheets, and to the board's sign."""
    sheets = (tag("link", rel="stylesheet", href=f"/static/{name}.css") for name in STYLES)
    return Html("".join((*sheets, tag("link", rel="icon", type="image/svg+xml", href="/static/icon.svg"))))
