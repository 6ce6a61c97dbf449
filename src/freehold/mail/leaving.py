"""Leaving mails of a kind with one click: an address in the mail that says who leaves what, and is signed."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from freehold.base64url import base64url
from freehold.errors import NotFound

if TYPE_CHECKING:
    from freehold.store.session import Session

Leave = Callable[["Session", UUID, str], Awaitable[None]]
"""Notes that a person wants no more mails of a kind. Called in a session in system scope; twice is as once."""

_MAC_BYTES = 16


class Leaving:
    """Makes and reads such addresses. They have no end: a mail may be read years later, and leaving harms nobody.

    secret: the application's. leave: notes what a person wants no more.
    """

    PATH: ClassVar[str] = "/mail/leave"
    PURPOSE: ClassVar[bytes] = b"freehold mail leaving\0"

    def __init__(self, leave: Leave, *, secret: bytes, public_url: str) -> None:
        self.leave = leave
        self._key = hmac.digest(secret, self.PURPOSE, "sha256")
        self._url = public_url.rstrip("/")

    def address(self, person: UUID, kind: str) -> str:
        """Where this person leaves mails of this kind."""
        said = person.bytes + kind.encode()
        return f"{self._url}{self.PATH}/{base64url(said + self._mac(said))}"

    def read(self, token: str) -> tuple[UUID, str]:
        """Who leaves what. Raises NotFound for what was not made here."""
        try:
            data = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise NotFound from None
        said, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
        if len(said) <= 16 or not hmac.compare_digest(self._mac(said), mac):
            raise NotFound
        return UUID(bytes=said[:16]), said[16:].decode()

    def _mac(self, said: bytes) -> bytes:
        return hmac.digest(self._key, said, "sha256")[:_MAC_BYTES]


def leave_address(session: Session, person: UUID, kind: str) -> str:
    """Where a person leaves mails of a kind, in the application of this session.

    Raises LookupError where the application lets nobody leave: `Freehold(leave_mail=…)`.
    """
    return session.part(Leaving).address(person, kind)
