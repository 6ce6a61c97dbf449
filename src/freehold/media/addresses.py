"""Signed addresses of our own: bound to method, object, type, length, caller and end, and good for one use.

One use may be many requests: a player asks for one range after the other. Whoever used the address gets a pass, as a
cookie of that address alone, with which the same client goes on for a while; without it the address is used up.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, ClassVar
from uuid import UUID, uuid4

import orjson
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from freehold.base64url import base64url
from freehold.errors import Forbidden
from freehold.media.tables import USED_ADDRESSES
from freehold.resource import clock
from freehold.store.session import Session


class AddressRefused(Forbidden):
    """A signed address that was changed, used before, is too late, or belongs to something else."""

    code, title = "media.address_refused", "This address is not good any more"

    def __init__(self) -> None:
        super().__init__("Ask for a new address.")


@dataclass(frozen=True, slots=True)
class Signed:
    """What an address says. caller: for whom it was made; whoever uses it is judged as that one."""

    method: str
    key: str
    content_type: str
    length: int
    caller: UUID | None
    ends_at: datetime
    nonce: str

    @property
    def digest(self) -> bytes:
        """Names this address in the list of those that were used."""
        return sha256(self.nonce.encode()).digest()

    @property
    def cookie(self) -> str:
        """The name of the cookie with its pass: several addresses may be in use at once."""
        return f"media-{self.digest.hex()[:16]}"


class Signer:
    """Makes and reads tokens of addresses. secret: the application's."""

    PURPOSE: ClassVar[bytes] = b"freehold media address\0"

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, self.PURPOSE, "sha256")

    def sign(
        self, method: str, key: str, *, content_type: str, length: int, caller: UUID | None, ends_at: datetime
    ) -> str:
        """A token, to be put into an address."""
        said = [
            method,
            key,
            content_type,
            length,
            str(caller) if caller else None,
            int(ends_at.timestamp()),
            uuid4().hex,
        ]
        payload = orjson.dumps(said)
        return f"{base64url(payload)}.{base64url(self._mac(payload))}"

    def read(self, token: str, *, method: str, key: str) -> Signed:
        """What a token says. Raises AddressRefused unless it was made here and for this; its end is judged by its use."""
        payload, _, mac = token.partition(".")
        try:
            said, given = _bytes(payload), _bytes(mac)
        except ValueError:
            raise AddressRefused from None
        if not hmac.compare_digest(self._mac(said), given):
            raise AddressRefused
        fields: list[Any] = orjson.loads(said)
        found = Signed(
            method=fields[0],
            key=fields[1],
            content_type=fields[2],
            length=fields[3],
            caller=UUID(fields[4]) if fields[4] else None,
            ends_at=datetime.fromtimestamp(fields[5], UTC),
            nonce=fields[6],
        )
        if (found.method, found.key) != (method, key):
            raise AddressRefused
        return found

    def give_pass(self, signed: Signed, *, ends_at: datetime) -> str:
        """What lets the client that used an address go on reading until then."""
        end = str(int(ends_at.timestamp()))
        return f"{end}.{base64url(self._pass_mac(signed, end))}"

    def may_go_on(self, signed: Signed, given: str) -> bool:
        """Whether this is a pass of that address, and not over."""
        end, _, mac = given.partition(".")
        try:
            is_ours = hmac.compare_digest(self._pass_mac(signed, end), _bytes(mac))
        except ValueError:
            return False
        return is_ours and clock.now().timestamp() < int(end)

    def _pass_mac(self, signed: Signed, end: str) -> bytes:
        return self._mac(b"pass\0" + signed.digest + end.encode())

    def _mac(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, "sha256")


async def use(db: Session, signed: Signed) -> None:
    """Note that an address is used now. Raises AddressRefused where it was before, or has ended."""
    if signed.ends_at <= clock.now():
        raise AddressRefused
    known = select(USED_ADDRESSES.c.digest).where(USED_ADDRESSES.c.digest == signed.digest)
    if (await db.execute(known)).first() is not None:
        raise AddressRefused
    try:
        async with db.begin_nested():
            await db.execute(insert(USED_ADDRESSES).values(digest=signed.digest, ends_at=signed.ends_at))
    except IntegrityError:
        raise AddressRefused from None


async def forget_ended(db: Session) -> None:
    """Clear away what is refused by its end anyway."""
    await db.execute(delete(USED_ADDRESSES).where(USED_ADDRESSES.c.ends_at <= clock.now()))


def _bytes(text: str) -> bytes:
    if not text.isascii():
        raise ValueError("no base64")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
