"""Redirect addresses: what may be registered, and whether a given one is the registered one (O02).

Compared as whole strings (RFC 9700 2.1): nothing is parsed, decoded or normalised, so that no two readings of one
address can differ. For a native application, on the person's own machine, the port alone may be another (RFC 8252 7.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit

from freehold.errors import FieldError, Invalid

LONGEST = 2_000
_LOOPBACK = re.compile(r"(?P<host>http://(?:127\.0\.0\.1|\[::1\]))(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^\s]*)?")
_HIGHEST_PORT = 65_535
_PLAIN = re.compile(r"[!-~]+")
# What else urlsplit takes for a host, `;` and `,` among it, would go on as another directive of a page's policy.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_LOCAL_NAMES = ("127.0.0.1", "::1", "localhost")


def is_registered(given: str, registered: Iterable[str], *, is_public: bool) -> bool:
    """Whether `given` is one of the registered addresses.

    is_public: of a public client, as every native application is. One that keeps a secret runs on a server, whose port is
    known beforehand: to it another port of the machine is somebody else.
    """
    return any(given == each or (is_public and _same_on_this_machine(given, each)) for each in registered)


def _same_on_this_machine(given: str, registered: str) -> bool:
    left, right = _LOOPBACK.fullmatch(given), _LOOPBACK.fullmatch(registered)
    if left is None or right is None or int(left["port"] or 0) > _HIGHEST_PORT:
        return False
    return left["host"] == right["host"] and left["path"] == right["path"]


def with_parameters(address: str, parameters: dict[str, str]) -> str:
    """The address with parameters behind those that it has."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"


def origin(address: str) -> str:
    """What a page's `form-action` names, for a form whose answer leads there: scheme and host, or a scheme.

    Policies have no way to write an IPv6 address (CSP 3, 2.3.1), and browsers pass over what they cannot read.
    """
    parts = urlsplit(address)
    is_named = parts.scheme in ("http", "https") and "[" not in parts.netloc
    return f"{parts.scheme}://{parts.netloc}" if is_named else f"{parts.scheme}:"


def check(addresses: Iterable[str], *, pointer: str, is_public: bool) -> list[str]:
    """The addresses, fit to be registered. Raises Invalid with what is wrong.

    https, or http on this machine; a public client may use a scheme of its own, named like a domain in reverse (RFC
    8252 7.1). No fragment, no user, no wildcard, nothing but visible ASCII.
    """
    found = list(dict.fromkeys(addresses))
    for number, address in enumerate(found):
        fault = _fault(address, is_public=is_public)
        if fault is not None:
            error = FieldError("client.redirect_uri", fault, pointer=f"{pointer}/{number}")
            raise Invalid(f"{address[:200]!r}: {fault}", errors=[error])
    return found


def _fault(address: str, *, is_public: bool) -> str | None:
    if len(address) > LONGEST or not _PLAIN.fullmatch(address) or any(mark in address for mark in '\\"<>*#'):
        return "Visible ASCII without a fragment, a wildcard, quotes or backslashes."
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return "Not an address."
    if parts.scheme in ("http", "https"):
        return _web_fault(parts.scheme, parts.hostname, has_user="@" in parts.netloc)
    if is_public and _SCHEME.fullmatch(parts.scheme):
        return None
    return "https, http on 127.0.0.1 or [::1], or (a public client) a scheme such as com.example.app."


def _web_fault(scheme: str, host: str | None, *, has_user: bool) -> str | None:
    if not host or not _HOST.fullmatch(host) or has_user:
        return "A host, and no user in front of it."
    if scheme == "http" and host not in _LOCAL_NAMES:
        return "http is for this machine alone; use https."
    return None
