"""Passkeys (WebAuthn L3), as a second factor and as the only one.

The library checks type, challenge, origin, RP id, presence and signature. Ours are: whose credential it is, that a challenge
is used once, that the counter does not go back, and that nothing a client sends is more than a refusal.
"""

from __future__ import annotations

import asyncio
import base64
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from freehold.identity.factors import challenges
from freehold.identity.factors.problems import PasskeyRefused, RegistrationRefused
from freehold.identity.factors.tables import PASSKEYS
from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.store.audit import record

if TYPE_CHECKING:
    from freehold.store.session import Session

LONGEST_ID: Final = 1023
# An RSA key of 8,192 bits has 1,100 bytes; a longer one would only make its verification slow.
LONGEST_KEY: Final = 2048
Credential = dict[str, Any]


class Passkeys:
    """The passkeys of one service. public_url: its host is the RP id, and pages of that origin alone may use them."""

    def __init__(self, *, public_url: str, service_name: str) -> None:
        self._rp_id = urlsplit(public_url).hostname or "localhost"
        self._here = {"rp_id": self._rp_id, "origin": _origin(public_url)}
        self._name = service_name or self._rp_id

    async def registration_options(self, session: Session, user: Any, holder: bytes) -> dict[str, Any]:
        """What a browser needs to make a passkey for `user` (a row with `id`, `email`, `full_name`)."""
        challenge = await challenges.issue(session, holder, challenges.REGISTRATION)
        held = await self._of(session, user.id)
        ceremonies = await _ceremonies()
        options: dict[str, Any] = ceremonies.registration_options(
            self._rp_id, self._name, user, challenge=challenge, held=held
        )
        return options

    async def register(
        self, session: Session, user_id: UUID, holder: bytes, credential: Credential, *, name: str
    ) -> UUID | RegistrationRefused:
        """Take a new passkey; its id. A refusal is returned and not raised: it uses the challenge up."""
        refused = RegistrationRefused("This passkey cannot be registered.")
        challenge = await challenges.take(session, holder, challenges.REGISTRATION)
        if challenge is None:
            return refused
        made = (await _ceremonies()).registered(credential, challenge=challenge, **self._here)
        if made is None or not 0 < len(made.credential_id) <= LONGEST_ID:
            return refused
        if len(made.credential_public_key) > LONGEST_KEY:
            return refused
        values = {
            "id": new_id(),
            "user_id": user_id,
            "credential_id": made.credential_id,
            "public_key": made.credential_public_key,
            "sign_count": made.sign_count,
            "transports": " ".join(_transports(credential)),
            "is_backed_up": made.credential_backed_up,
            "name": name,
        }
        try:
            async with session.begin_nested():
                await session.execute(insert(PASSKEYS).values(**values))
        except IntegrityError:  # registered already, by whomever
            return refused
        found: UUID = values["id"]
        return found

    async def login_options(self, session: Session, holder: bytes, *, user_id: UUID | None) -> dict[str, Any]:
        """What a browser needs to log in. Without a user it names none, and is the same for everyone (M08)."""
        challenge = await challenges.issue(session, holder, challenges.LOGIN)
        held = [] if user_id is None else await self._of(session, user_id)
        ceremonies, is_alone = await _ceremonies(), user_id is None
        options: dict[str, Any] = ceremonies.login_options(
            self._rp_id, challenge=challenge, held=held, is_alone=is_alone
        )
        return options

    async def verify(
        self, session: Session, holder: bytes, credential: Credential, *, user_id: UUID | None
    ) -> UUID | PasskeyRefused:
        """Whose passkey it is. user_id: whose it has to be; None: the passkey is the only proof, and knows its user.

        A refusal is returned and not raised: it uses the challenge up, and may leave an audit record.
        """
        refused = PasskeyRefused("The passkey is not good.")
        challenge = await challenges.take(session, holder, challenges.LOGIN)
        row = await self._find(session, credential)
        if challenge is None or row is None or user_id not in (None, row.user_id):
            return refused
        seen = (await _ceremonies()).verified(
            credential, row, challenge=challenge, knows_user=user_id is None, **self._here
        )
        if seen is None:
            return refused
        if (seen.new_sign_count or row.sign_count) and seen.new_sign_count <= row.sign_count:
            counters = {"stored": row.sign_count, "sent": seen.new_sign_count, "passkey_id": str(row.id)}
            await record(
                session, "passkey.counter_went_back", subject_type="user", subject_id=row.user_id, details=counters
            )
            return refused
        await session.execute(
            update(PASSKEYS)
            .where(PASSKEYS.c.id == row.id)
            .values(sign_count=seen.new_sign_count, last_used_at=clock.now(), is_backed_up=seen.credential_backed_up)
        )
        found: UUID = row.user_id
        return found

    async def _find(self, session: Session, credential: Credential) -> Any:
        try:
            sent = str(credential["id"])
            key = base64.urlsafe_b64decode(sent + "=" * (-len(sent) % 4))
        except (KeyError, ValueError):
            return None
        query = select(PASSKEYS).where(PASSKEYS.c.credential_id == key).with_for_update()
        return (await session.execute(query)).first() if 0 < len(key) <= LONGEST_ID else None

    async def _of(self, session: Session, user_id: UUID) -> list[Any]:
        query = select(PASSKEYS).where(PASSKEYS.c.user_id == user_id).order_by(PASSKEYS.c.id)
        return list((await session.execute(query)).all())


async def _ceremonies() -> ModuleType:
    """The library takes long to import: off the loop, when the first passkey is met."""
    return await asyncio.to_thread(import_module, "freehold.identity.factors.ceremonies")


def _origin(address: str) -> str:
    """As a browser writes it: no default port (RFC 6454 6.2)."""
    parts = urlsplit(address)
    port = "" if parts.port in (None, {"https": 443, "http": 80}.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}".lower()


def _transports(credential: Credential) -> list[str]:
    known = {"usb", "nfc", "ble", "hybrid", "internal", "cable", "smart-card"}
    sent = credential["response"].get("transports")
    return sorted({each for each in sent if isinstance(each, str)} & known) if isinstance(sent, list) else []
