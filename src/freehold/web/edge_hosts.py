"""Who asked, by which name: the Host, and the client behind listed proxies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from freehold.errors import BadRequest, ConfigurationError, Misdirected

_AUTHORITY = re.compile(rb"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._\-]{0,252}))(?::[0-9]{1,5})?")
_FORWARDED_PAIR = re.compile(r"""\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,\s"]*)\s*""")
_MAX_HOPS = 20


class Hosts:
    """The names that this service answers to."""

    def __init__(self, names: Sequence[str]) -> None:
        self._any = "*" in names
        self._exact = frozenset(name.lower() for name in names)
        self._suffixes = tuple(name[1:].lower() for name in names if name.startswith("*."))
        self._known = lru_cache(maxsize=256)(self._is_known)

    def check(self, host: bytes | None, *, repeated: bool) -> None:
        """Refuse no Host, two of them or one that is no authority (400), and one that is not listed (421)."""
        if host is None or repeated:
            raise BadRequest("Send exactly one Host header.")
        if not self._known(host):
            raise Misdirected

    def _is_known(self, host: bytes) -> bool:
        match = _AUTHORITY.fullmatch(host)
        if match is None:
            raise BadRequest("The Host header is malformed.")
        name = match[1].decode("ascii").lower().rstrip(".")
        return self._any or name in self._exact or name.endswith(self._suffixes)


class Proxies:
    """The proxies whose word counts. Raises ConfigurationError for an entry that is no address or network."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._unix = "unix" in entries
        self._networks = tuple(_network(entry) for entry in entries if entry != "unix")
        self.listed = bool(entries)
        self._trusted = lru_cache(maxsize=4096)(self._is_trusted)

    def trusts(self, address: str | None) -> bool:
        """Whether a peer of this address is a listed proxy. None: the peer came by a Unix socket."""
        return self._unix if address is None else self._trusted(address)

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(_unmapped(address))
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def client(self, peer: str | None, x_forwarded_for: bytes | None, forwarded: bytes | None) -> str | None:
        """The client behind a trusted `peer`: the first address from the right that is no listed proxy.

        Raises BadRequest when both headers are there and disagree: a proxy writes one of them, so the other one was
        written by the client.
        """
        named = None if x_forwarded_for is None else self._from_right(peer, _split(x_forwarded_for))
        if forwarded is None:
            return named if x_forwarded_for is not None else peer
        other = self._from_right(peer, [pair.get("for", "") for pair in parse_forwarded(forwarded)])
        if x_forwarded_for is not None and named != other:
            raise BadRequest("Forwarded and X-Forwarded-For disagree.")
        return other

    def _from_right(self, peer: str | None, hops: list[str]) -> str | None:
        found = peer
        for hop in reversed(hops[-_MAX_HOPS:]):
            address = _address(hop)
            if address is None:
                break
            found = address
            if not self.trusts(address):
                break
        return found


def _network(entry: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(entry, strict=False)
    except ValueError as error:
        raise ConfigurationError(f"FREEHOLD_TRUSTED_PROXIES: {entry!r} is no address, network or 'unix'") from error


def _split(value: bytes) -> list[str]:
    return value.decode("latin-1").split(",")


def _address(hop: str) -> str | None:
    """The bare address of one hop, with its port and brackets taken off; None for what is no address."""
    text = hop.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return _unmapped(str(ip_address(text)))
    except ValueError:
        return None


def _unmapped(address: str) -> str:
    """An IPv4 address that came mapped into IPv6 (`::ffff:192.0.2.1`) as itself."""
    if not address.lower().startswith("::ffff:"):
        return address
    mapped = IPv6Address(address).ipv4_mapped
    return str(mapped) if mapped else address


def parse_forwarded(value: bytes) -> list[dict[str, str]]:
    """The elements of a Forwarded header (RFC 7239) in order; a malformed one is empty, so that it ends the walk."""
    return [_pairs(element) for element in _split(value)]


def _pairs(element: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in element.split(";"):
        match = _FORWARDED_PAIR.fullmatch(part)
        if match is None or match[1].lower() in pairs:
            return {}
        pairs[match[1].lower()] = match[2].strip('"')
    return pairs


def forwarded_scheme(x_forwarded_proto: bytes | None, forwarded: bytes | None) -> str | None:
    """The scheme that the nearest proxy was asked with, or None when it says none."""
    said = _split(x_forwarded_proto)[-1] if x_forwarded_proto is not None else ""
    if not said and forwarded is not None:
        said = parse_forwarded(forwarded)[-1].get("proto", "")
    said = said.strip().lower()
    return {"http": "http", "https": "https", "ws": "http", "wss": "https"}.get(said)
