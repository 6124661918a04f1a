"""Where visitors come from: which addresses are one visitor's, and which stand for many people."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

LOOPBACK = "127.0.0.0/8,::1"


@lru_cache(4096)
def place_of(address: str) -> str:
    """An IPv4 address, or the network of an IPv6 address that one household or one machine is given."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return address
    return str(ip.ipv4_mapped or ip_network((ip, 64), strict=False))


class Trusted:
    """This machine, and the proxies that are named (addresses or networks, commas between; `*`: everybody)."""

    def __init__(self, proxies: str) -> None:
        names = [name.strip() for name in f"{LOOPBACK},{proxies}".split(",")]
        self._all = "*" in names
        self._networks = [network for name in names if (network := _network(name))]

    def __contains__(self, address: object) -> bool:
        try:
            ip = ip_address(str(address))
        except ValueError:
            return True  # no address at all: a socket of this machine
        return self._all or any(ip in network for network in self._networks)


def _network(name: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(name, strict=False)
    except ValueError:
        return None
