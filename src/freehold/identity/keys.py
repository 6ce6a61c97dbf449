"""Signing keys (Ed25519): next, active, retired.

A key is published as `next` before it signs, so that whoever caches the key set knows it by then; it verifies as
`retired` until the last token it signed is over. Private parts are sealed under FREEHOLD_SECRET and erased when the key
retires.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey
from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from freehold.base64url import base64url
from freehold.errors import ConfigurationError
from freehold.identity.sealing import Sealer, Unsealable
from freehold.identity.tables import SIGNING_KEYS
from freehold.resource import clock
from freehold.resource.principal import system

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session

# How long others may cache the key set, and so how long a key is published before it signs.
JWKS_MAX_AGE = timedelta(minutes=5)
# Keys change in other processes too: reread at this age, and sooner (but no more often than MISS_PAUSE) for an
# unknown key id.
RELOAD_AFTER = timedelta(seconds=30)
MISS_PAUSE = timedelta(seconds=5)
ROTATE_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key as this process holds it. `private` only where it signs or is about to."""

    kid: str
    state: str
    public_bytes: bytes
    public: OKPKey
    private: OKPKey | None
    created_at: datetime
    expires_at: datetime | None


class KeyRing:
    """The signing keys of a service, read from its database. `start` makes the first one.

    lifetime: of the longest token that is signed, leeway included: how long a retired key still verifies.
    """

    def __init__(self, database: Database, *, secret: bytes, lifetime: timedelta) -> None:
        self._database = database
        self._sealer = Sealer(secret, purpose="signing keys")
        self._lifetime = lifetime
        self._keys: dict[str, SigningKey] = {}
        self._read_at = float("-inf")
        self._missed_at = float("-inf")
        self._reading = asyncio.Lock()

    async def start(self) -> None:
        """Read the keys; make one if there is none. Raises ConfigurationError when the secret does not open them."""
        await self.reload()
        if self._active() is not None:
            return
        try:
            async with self._database.writing(system("first signing key")) as unit:
                await self._add(unit.session, state="active")
        except IntegrityError:  # another process was first
            pass
        await self.reload()

    async def reload(self) -> None:
        """Read the keys again."""
        async with self._database.reading(system("read signing keys")) as session:
            rows = (await session.execute(select(SIGNING_KEYS))).all()
        self._keys = {row.kid: self._key(row) for row in rows}
        self._read_at = time.monotonic()

    async def signing_key(self) -> SigningKey:
        """The active key, with its private part."""
        await self._refresh_if_older(RELOAD_AFTER)
        active = self._active()
        if active is None:
            raise RuntimeError("there is no active signing key: await KeyRing.start() first")
        return active

    async def find(self, kid: str) -> SigningKey | None:
        """The key with this id, unless its time is over. An unknown id rereads the table at most once in 5 s."""
        await self._refresh_if_older(RELOAD_AFTER)
        if kid not in self._keys:
            await self._look_again(kid)
        return self._live(kid, clock.now())

    def known(self, kid: str, now: datetime) -> SigningKey | None:
        """The same, of keys that were read lately enough; None for any other, whatever it is."""
        is_recent = time.monotonic() - self._read_at < RELOAD_AFTER.total_seconds()
        return self._live(kid, now) if is_recent else None

    def _live(self, kid: str, now: datetime) -> SigningKey | None:
        found = self._keys.get(kid)
        return found if found is not None and (found.expires_at is None or now < found.expires_at) else None

    def _all_live(self) -> list[SigningKey]:
        now = clock.now()
        return [key for key in sorted(self._keys.values(), key=_by_age) if self._live(key.kid, now)]

    async def _look_again(self, kid: str) -> None:
        """Requests that name a new key at one moment wait for one look: none of them is refused meanwhile (T12)."""
        async with self._reading:
            if kid not in self._keys and time.monotonic() - self._missed_at > MISS_PAUSE.total_seconds():
                self._missed_at = time.monotonic()
                await self.reload()

    async def jwks(self) -> dict[str, Any]:
        """The public key set (RFC 7517)."""
        await self._refresh_if_older(RELOAD_AFTER)
        return {"keys": [_public(key) for key in self._all_live()]}

    async def states(self) -> dict[str, str]:
        """Key id -> `next`, `active` or `retired`, the oldest first, of those that still verify."""
        await self.reload()
        return {key.kid: key.state for key in self._all_live()}

    async def rotate(self, *, immediately: bool = False) -> None:
        """Publish the next key and, once it has been published long enough, let it sign in place of the active one.

        Call it twice, more than JWKS_MAX_AGE apart, or let `maintain` do it. immediately: after a leak; tokens of the
        old key are refused from now on, and clients that cache the key set fail until they read it again.
        """
        async with self._database.writing(system("rotate signing keys")) as unit:
            await self._advance(unit.session, immediately=immediately)
        await self.reload()

    async def maintain(self, session: Session) -> None:
        """What a schedule calls in its unit: rotate when the active key is 30 days old, or a next one waits to sign."""
        found = {row.state: row for row in await session.execute(select(SIGNING_KEYS))}
        active = found.get("active")
        if active is not None and "next" not in found and clock.now() - active.created_at < ROTATE_AFTER:
            return
        await self._advance(session, immediately=False)
        if session.unit is not None:
            session.unit.after_commit(self.reload)

    async def _advance(self, session: Session, *, immediately: bool) -> None:
        keys = {row.state: row for row in await session.execute(select(SIGNING_KEYS).with_for_update())}
        following = keys.get("next")
        if following is None:
            kid = await self._add(session, state="next")
            created = clock.now()
        else:
            kid, created = following.kid, following.created_at
        if not immediately and clock.now() - created < JWKS_MAX_AGE + RELOAD_AFTER:
            return
        await self._retire_active(session, at_once=immediately)
        await session.execute(
            update(SIGNING_KEYS).where(SIGNING_KEYS.c.kid == kid).values(state="active", activated_at=clock.now())
        )

    async def _retire_active(self, session: Session, *, at_once: bool) -> None:
        end = clock.now() if at_once else clock.now() + self._lifetime + RELOAD_AFTER
        retired = {"state": "retired", "sealed_private_key": None, "expires_at": end}
        await session.execute(update(SIGNING_KEYS).where(SIGNING_KEYS.c.state == "active").values(retired))

    async def _add(self, session: Session, *, state: str) -> str:
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        # The RFC 7638 thumbprint would do as well; a plain digest needs no JSON.
        kid = base64url(hashlib.sha256(public).digest()[:16])
        await session.execute(
            insert(SIGNING_KEYS).values(
                kid=kid,
                state=state,
                public_key=public,
                sealed_private_key=self._sealer.seal(private.private_bytes_raw(), context=kid.encode()),
                activated_at=clock.now() if state == "active" else None,
            )
        )
        return kid

    def _key(self, row: Row[Any]) -> SigningKey:
        private = None
        if row.sealed_private_key is not None:
            try:
                seed = self._sealer.open(row.sealed_private_key, context=row.kid.encode())
            except Unsealable:
                raise ConfigurationError(
                    "FREEHOLD_SECRET does not open the signing keys in the database: it is not the one that sealed "
                    "them. Give the former secret, or delete the rows of freehold_signing_keys (everyone has to log in again)."
                ) from None
            private = _jwk(row.public_key, seed=seed)
        return SigningKey(
            row.kid, row.state, row.public_key, _jwk(row.public_key), private, row.created_at, row.expires_at
        )

    def _active(self) -> SigningKey | None:
        return next((key for key in self._keys.values() if key.state == "active"), None)

    async def _refresh_if_older(self, age: timedelta) -> None:
        if time.monotonic() - self._read_at < age.total_seconds():
            return
        async with self._reading:
            if time.monotonic() - self._read_at >= age.total_seconds():
                await self.reload()


def _by_age(key: SigningKey) -> datetime:
    return key.created_at


def _public(key: SigningKey) -> dict[str, str]:
    return {**_coordinates(key.public_bytes), "kid": key.kid, "use": "sig", "alg": "Ed25519"}


def _coordinates(public: bytes) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": base64url(public)}


def _jwk(public: bytes, *, seed: bytes | None = None) -> OKPKey:
    secret = {} if seed is None else {"d": base64url(seed)}
    return OKPKey.import_key({**_coordinates(public), **secret})
