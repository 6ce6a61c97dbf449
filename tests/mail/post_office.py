"""A real mail server for a test, in the test's own loop."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = "post@office", "s%cret/word"


@dataclass
class PostOffice:
    """What the server took, and what it says to each address: a line by default `250 OK`."""

    port: int = 0
    says: dict[str, str] = field(default_factory=dict)
    taken: list[Any] = field(default_factory=list)
    was_secure: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, server: SMTP, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        said = self.says.get(address, "250 OK")
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:
        self.taken.append(envelope)
        self.was_secure.append(server.transport.get_extra_info("sslcontext") is not None)
        return "250 Message accepted"


def _authenticated(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)


@asynccontextmanager
async def post_office(
    *, tls: ssl.SSLContext | None = None, implicit: bool = False, auth: bool = False
) -> AsyncIterator[PostOffice]:
    """A server on a free port. tls: offered by STARTTLS, or from the first byte on."""
    office = PostOffice()
    options: dict[str, Any] = {"enable_SMTPUTF8": True, "hostname": "office.test"}
    if tls is not None and not implicit:
        options |= {"tls_context": tls, "require_starttls": True}
    if auth:
        options |= {"authenticator": _authenticated, "auth_required": True, "auth_require_tls": not implicit}

    def protocol() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it does not count TLS from the first byte as TLS
            return SMTP(office, loop=asyncio.get_running_loop(), **options)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=tls if implicit else None)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()
        await server.wait_closed()
