"""Codes of an authenticator app (TOTP, RFC 6238): 160 bits, SHA-1, 30 seconds, six digits, as every app has them."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pyotp
from sqlalchemy import delete, insert, or_, select, update

from freehold.identity.factors.problems import FactorExists, NoSecret
from freehold.identity.factors.tables import TOTP_SECRETS
from freehold.identity.sealing import Sealer, Unsealable
from freehold.resource import clock
from freehold.resource.base import new_id

if TYPE_CHECKING:
    from freehold.store.session import Session

SECRET_CHARACTERS: Final = 32  # of base32: 160 bits (RFC 4226 4, R6)
SECONDS: Final = 30
_CODE: Final = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A new secret, shown this once. uri: for a QR code (`otpauth://`)."""

    id: UUID
    secret: str
    uri: str


class Totp:
    """The secrets of one service."""

    def __init__(self, *, secret: bytes, issuer: str) -> None:
        self._sealer = Sealer(secret, purpose="totp secret")
        self._issuer = issuer

    async def enrol(self, session: Session, user_id: UUID, *, account: str, name: str) -> Enrolment:
        """A secret that waits for its first code; one that waited before is gone. Raises FactorExists."""
        if await self.is_held(session, user_id):
            raise FactorExists("Remove the present one first.")
        table = TOTP_SECRETS
        await session.execute(delete(table).where(table.c.user_id == user_id, table.c.confirmed_at.is_(None)))
        key, secret = new_id(), pyotp.random_base32(SECRET_CHARACTERS)
        sealed = self._sealer.seal(secret.encode(), context=key.bytes)
        await session.execute(insert(table).values(id=key, user_id=user_id, sealed_secret=sealed, name=name))
        uri = pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=self._issuer or None)
        return Enrolment(key, secret, uri)

    async def confirm(self, session: Session, user_id: UUID, code: str) -> UUID | None:
        """Take the first code: from now on it is a factor. Its id; None for a wrong code. Raises NoSecret."""
        row = await self._row(session, user_id, is_confirmed=False)
        if row is None:
            raise NoSecret
        if not await self._take(session, row, code):
            return None
        await session.execute(update(TOTP_SECRETS).where(TOTP_SECRETS.c.id == row.id).values(confirmed_at=clock.now()))
        found: UUID = row.id
        return found

    async def verify(self, session: Session, user_id: UUID, code: str) -> bool:
        """Use a code up. False for a wrong one, one that was used, and one older than a code that was used."""
        row = await self._row(session, user_id, is_confirmed=True)
        return row is not None and await self._take(session, row, code)

    async def is_held(self, session: Session, user_id: UUID) -> bool:
        """Whether the account has one that counts."""
        return await self._row(session, user_id, is_confirmed=True) is not None

    async def _row(self, session: Session, user_id: UUID, *, is_confirmed: bool) -> Any:
        table = TOTP_SECRETS.c
        confirmed = table.confirmed_at.is_not(None) if is_confirmed else table.confirmed_at.is_(None)
        return (await session.execute(select(TOTP_SECRETS).where(table.user_id == user_id, confirmed))).first()

    async def _take(self, session: Session, row: Any, code: str) -> bool:
        counter = self._counter(row, code)
        if counter is None:
            return False
        # Of many who bring one code at once, one finds the counter below it (RFC 6238 5.2).
        table = TOTP_SECRETS.c
        taken = await session.execute(
            update(TOTP_SECRETS)
            .where(table.id == row.id, or_(table.last_counter.is_(None), table.last_counter < counter))
            .values(last_counter=counter, last_used_at=clock.now())
            .returning(table.id)
        )
        return taken.first() is not None

    def _counter(self, row: Any, code: str) -> int | None:
        """The time step whose code this is, of the present one and its neighbours."""
        text = "".join(code.split())
        if not _CODE.fullmatch(text):
            return None
        try:
            totp = pyotp.TOTP(self._sealer.open(row.sealed_secret, context=row.id.bytes).decode())
        except Unsealable:
            return None
        now = int(clock.now().timestamp()) // SECONDS
        fits = [step for step in (now - 1, now, now + 1) if hmac.compare_digest(totp.generate_otp(step), text)]
        return fits[-1] if fits else None
