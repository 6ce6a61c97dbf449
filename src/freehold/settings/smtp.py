"""Where a mail server is, and how it is spoken to, as one address."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

_FORM = "smtp://user:password@host:587 or smtps://user:password@host:465"
_STARTTLS = ("required", "off")


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server. tls: from the first byte on, by STARTTLS, or not at all."""

    host: str
    port: int
    tls: Literal["implicit", "starttls", "none"]
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `smtp://` (STARTTLS) or `smtps://` (TLS from the first byte), with user and password percent-encoded.

        `?starttls=off` speaks in the clear, which needs no saying to this machine itself: it is the default there.
        Raises ValueError with the remedy, also for a password that would travel in the clear.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError(f"not an address; write {_FORM}") from None
        if parts.scheme not in ("smtp", "smtps") or not host or parts.path not in ("", "/") or parts.fragment:
            raise ValueError(f"write it as {_FORM}")
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        if (user is None) != (password is None):
            raise ValueError("give both a user and a password, or neither")
        tls = _tls(parts.scheme, parts.query, is_here=_is_here(host))
        if tls == "none" and password is not None and not _is_here(host):
            raise ValueError("a password is not sent in the clear: take starttls=off away, or use smtps://")
        return cls(host, port or (465 if tls == "implicit" else 587), tls, user, password)

    @property
    def without_password(self) -> str:
        """The server as it may be shown."""
        who = "" if self.user is None else "********@"
        return f"{'smtps' if self.tls == 'implicit' else 'smtp'}://{who}{self.host}:{self.port}"


def _tls(scheme: str, query: str, *, is_here: bool) -> Literal["implicit", "starttls", "none"]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    wish = options.pop("starttls", None)
    if options or (wish is not None and (wish not in _STARTTLS or scheme == "smtps")):
        raise ValueError("the only option is ?starttls=required or ?starttls=off, and for smtp:// alone")
    if scheme == "smtps":
        return "implicit"
    return "none" if wish == "off" or (wish is None and is_here) else "starttls"


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def mail_server_url(value: Any) -> Any:
    """Check the address of a mail server; empty for none."""
    if value:
        SmtpServer.parse(value if isinstance(value, str) else "")
    return value
