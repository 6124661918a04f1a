"""Where the board may be reached: a host of its own, or it says why not."""

import pytest

from services.board.auth.address import checked, is_below


@pytest.mark.parametrize(
    ("url", "home"),
    [
        (None, None),
        ("https://ioc.example.vn", "https://ioc.example.vn"),
        ("https://ioc.example.vn/", "https://ioc.example.vn"),
        (" http://127.0.0.1:8020// ", "http://127.0.0.1:8020"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_a_host_of_its_own_is_taken(url: str | None, home: str | None) -> None:
    assert checked(url) == home


@pytest.mark.parametrize("path", ["/ioc", "/ioc/", "//ioc", "/a/b", "/?a=1", "/#a", "/ioc?next=/"])
def test_a_path_is_refused_with_the_reason(path: str) -> None:
    with pytest.raises(ValueError, match="a host of its own"):
        checked(f"https://example.vn{path}")


@pytest.mark.parametrize(
    "url", ["ioc.example.vn", "/ioc", "ftp://example.vn", "https://", "https://a:b@example.vn", "https://a:x"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be an address like"):
        checked(url)


@pytest.mark.parametrize(
    ("header", "below"), [(None, False), ("", False), ("/", False), ("/ioc", True), ("ioc/", True)]
)
def test_a_proxys_prefix_is_seen(header: str | None, below: bool) -> None:
    assert is_below(header) is below
