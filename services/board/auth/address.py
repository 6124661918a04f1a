"""Where people reach the board: a host of its own. Its pages name each other from the root, so below a path of another
site half of them would be missing; that is refused with its reason."""

from __future__ import annotations

from urllib.parse import urlsplit

PREFIX = "x-forwarded-prefix"
"""The header in which proxies tell a path that they have taken away."""


def checked(url: str | None) -> str | None:
    """`scheme://host[:port]` of the setting `board_url`; `ValueError` with what is wrong and what to do."""
    if url is None:
        return None
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None:
        raise ValueError(f"IOC_BOARD_URL must be an address like https://ioc.example.vn, not {url!r}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(
            f"IOC_BOARD_URL is {url!r}, but the board needs a host of its own: below a path of another site "
            f"half of a page would be missing. Give it a name, as https://ioc.{parts.hostname}, or a port in the "
            "proxy, and name that without a path"
        )
    return f"{parts.scheme}://{parts.netloc}"


def is_below(prefix: str | None) -> bool:
    """Whether a proxy says by its header that it shows the board below a path."""
    return bool((prefix or "").strip().strip("/"))
