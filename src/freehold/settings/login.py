"""By whom one can log in besides: what a provider knows this service as, in one line each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_TAKEN = ("google", "github", "token")
_HERE = ("127.0.0.1", "localhost", "::1")
MASK = "********"


@dataclass(frozen=True, slots=True)
class LoginClient:
    """A client of a provider. address: the issuer, or the GitHub server; empty for the provider's own."""

    name: str
    client_id: str
    client_secret: str
    address: str = ""

    @classmethod
    def pair(cls, name: str, value: str) -> LoginClient:
        """`client_id:client_secret`. Raises ValueError that holds nothing of what was given."""
        client_id, _, secret = value.partition(":")
        if not client_id or not secret or any(letter.isspace() for letter in value):
            raise ValueError("write it as client_id:client_secret")
        return cls(name, client_id, secret)

    @classmethod
    def issuer(cls, value: str) -> LoginClient:
        """`name=https://client_id:client_secret@issuer/path`, percent-encoded; without a secret for a public client."""
        name, _, url = value.partition("=")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = None
            parts = urlsplit("")
            port = None
        is_here = parts.scheme == "http" and host in _HERE
        if not host or not parts.username or parts.query or parts.fragment or not (parts.scheme == "https" or is_here):
            raise ValueError("write each as name=https://client_id:client_secret@issuer.example/path")
        if not _NAME.fullmatch(name) or name in _TAKEN:
            raise ValueError("the name before = is a-z, digits and -, and not google, github or token")
        shown = f"[{host}]" if ":" in host else host
        where = f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}{parts.path}"
        return cls(name, unquote(parts.username), unquote(parts.password or ""), where)


def client_pair(value: Any) -> Any:
    """Check `client_id:client_secret`; empty for none."""
    if value:
        LoginClient.pair("", value if isinstance(value, str) else "")
    return value


def issuers(value: Any) -> Any:
    """Check a list of issuers, by comma; empty for none."""
    found = listed_issuers(value if isinstance(value, str) else "")
    if len({each.name for each in found}) < len(found):
        raise ValueError("two issuers have one name")
    return value


def listed_issuers(value: str) -> list[LoginClient]:
    """The clients of a list."""
    return [LoginClient.issuer(part.strip()) for part in value.split(",") if part.strip()]


def pair_without_secret(value: str) -> str:
    """As it may be shown."""
    return f"{LoginClient.pair('', value).client_id}:{MASK}"


def issuers_without_secret(value: str) -> str:
    """As they may be shown."""
    return ",".join(f"{each.name}={each.address} ({each.client_id})" for each in listed_issuers(value))
