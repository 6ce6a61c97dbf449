"""Idempotency keys: one effect per key, the same answer for every retry (Idempotency-Key draft).

The record is written with the effect, in its transaction; until then the key is held by a lock that dies with its
holder: `pg_try_advisory_xact_lock` on PostgreSQL; on SQLite a set in the process and a byte-range lock on a key file,
both taken before the writer's turn so that a second caller is told at once instead of waiting (docs/decisions).
A stored answer is sealed under a key derived from the client's own key, of which only a hash is kept, and from the
service's secret, which also keys the fingerprint: a request may hold a password, and its plain digest could be guessed at.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import BigInteger, Column, LargeBinary, Row, Table, Uuid, bindparam, delete, func, insert, select

from freehold.errors import Conflict, Invalid
from freehold.resource import clock
from freehold.resource.base import UTCDateTime
from freehold.resource.principal import Principal
from freehold.store.executor import Plan, SessionExecutor
from freehold.store.ledger import LEDGER
from freehold.store.session import Session
from freehold.store.straight import NotStraight, Straight
from freehold.store.unit import Unit

KEPT = timedelta(hours=24)
# So long a transaction of PostgreSQL that holds a key may say nothing. A process that cannot be reached any more, and whose
# end nobody is told of, keeps the key for no longer.
IDLE_SECONDS = 10

IDEMPOTENCY = Table(
    "freehold_idempotency",
    LEDGER,
    Column("id", LargeBinary(32), primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("subject_id", Uuid),
    Column("created_at", UTCDateTime, nullable=False, index=True),
)


class KeyInFlight(Conflict):
    """A request with this key is being carried out right now."""

    code, title = "idempotency.in_flight", "A request with this Idempotency-Key is in progress"

    def __init__(self) -> None:
        super().__init__(
            "Retry in a moment: the first request with this key has not ended.", headers={"Retry-After": "1"}
        )


class KeyReused(Invalid):
    """The key belongs to another request of this caller."""

    code, title = "idempotency.key_reused", "This Idempotency-Key was used for another request"


@dataclass(frozen=True, slots=True)
class Claim:
    """One caller's use of one key for one request.

    key: as the client sent it, unquoted. address: tells callers apart who are nobody. secret: the service's own.
    """

    key: str
    principal: Principal
    fingerprint: bytes
    address: str = ""
    secret: bytes = b""

    @property
    def id(self) -> bytes:
        """Keys belong to a caller: two users with one key do not meet (I05), nor do an application and whom it acts for."""
        known = self.principal.id or self.principal.key_id
        caller = self.address if known is None else str(known)
        if self.principal.client_id is not None:
            caller = f"{caller} by {self.principal.client_id}"
        return sha256(b"fh-idempotency\0" + caller.encode() + b"\0" + self.key.encode()).digest()

    @property
    def lock_number(self) -> int:
        """A signed 64-bit number for the lock."""
        return int.from_bytes(self.id[:8], "big", signed=True)


@dataclass(frozen=True, slots=True)
class Stored:
    """A record that was found: the answer (opened) and the row that it was about."""

    answer: bytes
    subject_id: object | None


def _cipher(key: str, secret: bytes, salt: bytes) -> ChaCha20Poly1305:
    source = len(secret).to_bytes(2, "big") + secret + key.encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"freehold idempotency answer").derive(source)
    return ChaCha20Poly1305(derived)


def seal(key: str, answer: bytes, *, secret: bytes = b"") -> bytes:
    """Encrypt an answer so that only the holder of `key` opens it: 16 bytes of salt, 12 of nonce, then the text."""
    salt, nonce = os.urandom(16), os.urandom(12)
    return salt + nonce + _cipher(key, secret, salt).encrypt(nonce, answer, None)


def open_sealed(key: str, sealed: bytes, *, secret: bytes = b"") -> bytes:
    """Decrypt. Raises ValueError when the text was changed or sealed under another key."""
    try:
        return _cipher(key, secret, sealed[:16]).decrypt(sealed[16:28], sealed[28:], None)
    except InvalidTag:
        raise ValueError("the stored answer does not open with this key") from None


_LOCK: Final = Plan(
    select(
        func.pg_try_advisory_xact_lock(bindparam("number", type_=BigInteger())),
        func.set_config("idle_in_transaction_session_timeout", f"{IDLE_SECONDS}s", True),
    ),
    ("lock a key",),
)
_LOOK: Final = Plan(
    select(IDEMPOTENCY.c.fingerprint, IDEMPOTENCY.c.sealed, IDEMPOTENCY.c.subject_id, IDEMPOTENCY.c.created_at).where(
        IDEMPOTENCY.c.id == bindparam("id", type_=IDEMPOTENCY.c.id.type)
    ),
    ("look for a key",),
)
_KEEP: Final = Plan(
    insert(IDEMPOTENCY)
    .values({each.name: bindparam(each.name, type_=each.type) for each in IDEMPOTENCY.c})
    .returning(IDEMPOTENCY.c.id),
    ("keep a key",),
)


async def find(asking: Session | Unit, claim: Claim) -> Stored | None:
    """The stored answer of this key, if the first request committed.

    On PostgreSQL takes the key for the rest of the transaction and raises KeyInFlight when another holds it; the look is a
    statement of its own, which sees what has been committed until then. Raises KeyReused when the key belongs to another
    request.
    """
    held = True
    if _dialect_of(asking) == "postgresql":
        held = bool((await _run(asking, _LOCK, {"number": claim.lock_number}))[0][0])
    found = await _run(asking, _LOOK, {"id": claim.id})
    row = found[0] if found else None
    if row is None or row.created_at <= clock.now() - KEPT:
        if not held:
            raise KeyInFlight
        if row is not None:
            await _forget(asking, claim)
        return None
    if row.fingerprint != claim.fingerprint:
        raise KeyReused("Use a new key for a new request.")
    return Stored(open_sealed(claim.key, row.sealed, secret=claim.secret), row.subject_id)


async def keep(asking: Session | Unit, claim: Claim, answer: bytes, *, subject_id: object | None) -> None:
    """Write the record into the transaction of the effect. A second one for the key breaks the primary key."""
    values = {
        "id": claim.id,
        "fingerprint": claim.fingerprint,
        "sealed": seal(claim.key, answer, secret=claim.secret),
        "subject_id": subject_id,
        "created_at": clock.now(),
    }
    await _run(asking, _KEEP, values)


async def _forget(asking: Session | Unit, claim: Claim) -> None:
    """A record past its time is in the way of the next one, until it is swept. A session that only reads leaves it."""
    session = asking.session if isinstance(asking, Unit) else asking
    if session.unit is not None:
        await session.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.id == claim.id))


async def _run(asking: Session | Unit, plan: Plan, params: Mapping[str, Any]) -> Sequence[Row[Any]]:
    if isinstance(asking, Unit):
        try:
            return await Straight.of_unit(asking).fetch(plan, params)
        except NotStraight:
            asking = asking.session
    return await SessionExecutor(asking).fetch(plan, params)


def _dialect_of(asking: Session | Unit) -> str:
    return asking.connection.dialect.name if isinstance(asking, Unit) else asking.get_bind().dialect.name


async def sweep(session: Session) -> int:
    """Delete records past their time; how many."""
    result = await session.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.created_at <= clock.now() - KEPT))
    return int(result.rowcount)  # type: ignore[attr-defined]


class KeyLocks:
    """Keys in flight on SQLite: within the process a set, among processes a byte of a file, freed by the kernel."""

    def __init__(self, path: Path) -> None:
        self._held: set[int] = set()
        # Open once per process: closing any descriptor of the file drops all its locks.
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def held(self, claim: Claim) -> Iterator[None]:
        """Hold the key. Raises KeyInFlight at once when it is held."""
        offset = claim.lock_number & (2**62 - 1)
        if offset in self._held:
            raise KeyInFlight
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise KeyInFlight from None
            raise
        self._held.add(offset)
        try:
            yield
        finally:
            self._held.discard(offset)
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, offset)

    def close(self) -> None:
        """Close the key file."""
        os.close(self._descriptor)
