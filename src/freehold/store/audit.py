"""The audit trail: who did what to which thing, written with the deed and sealed in a chain (E05).

A record commits with its cause. Within a second the sealer gives it the next number and a digest over itself and the
digest before it, in the order in which commits became visible; nobody can change, remove or reorder a sealed record
without breaking the chain. Triggers refuse every other UPDATE and every DELETE, also by hand-written SQL.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from pydantic_core import to_jsonable_python
from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    Uuid,
    bindparam,
    event,
    exists,
    insert,
    select,
    text,
    update,
)

from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.resource.principal import Principal, system
from freehold.store.audit_ddl import AUDIT_DDL, AuditWalls
from freehold.store.ledger import LEDGER
from freehold.store.upserts import insert_into

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session

_UNSEALED = text("sequence IS NULL")
START = bytes(32)
"""The digest before the first record."""
_HEAD_ID = 1
_BATCH = 500

AUDIT = Table(
    "freehold_audit",
    LEDGER,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("recorded_at", UTCDateTime, nullable=False),
    Column("principal_id", Uuid, nullable=True, comment="who acted; null for nobody and for the system"),
    Column("system_reason", Text, nullable=True, comment="why no caller's rule applied, where none did"),
    Column("action", Text, nullable=False),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("before", JSON(none_as_null=True), nullable=True),
    Column("after", JSON(none_as_null=True), nullable=True),
    Column("details", JSON(none_as_null=True), nullable=True),
    Column("request_id", Text, nullable=True),
    Column("sequence", BigInteger, nullable=True, comment="given by the sealer"),
    Column("digest", LargeBinary, nullable=True, comment="given by the sealer"),
    Index("uq_freehold_audit_sequence", "sequence", unique=True),
    Index("ix_freehold_audit_unsealed", "id", sqlite_where=_UNSEALED, postgresql_where=_UNSEALED),
    Index("ix_freehold_audit_subject", "subject_type", "subject_id", "id"),
)

AUDIT_HEAD = Table(
    "freehold_audit_head",
    LEDGER,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False, comment="of the record that was sealed last"),
    Column("digest", LargeBinary, nullable=False),
)

_PLACED = (
    update(AUDIT)
    .where(AUDIT.c.id == bindparam("record"), AUDIT.c.sequence.is_(None))
    .values(sequence=bindparam("place"), digest=bindparam("link"))
)

AUDIT.info["fh_ddl"] = [AuditWalls()]
for _dialect, _statements in AUDIT_DDL.items():
    for _statement in _statements:
        event.listen(AUDIT, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]


async def record(
    session: Session,
    action: str,
    *,
    subject_type: str,
    subject_id: object,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> UUID:
    """Write one record into the caller's transaction; its id.

    action: `noun.verb`, as in `user.login`. before, after: the changed values only; leave out secrets and whatever
    must be erasable later, for no record ever is; changes of rows are recorded by themselves, and erasable (`trail`),
    without the fields named here. The actor is the unit's caller, also inside `unscoped("reason")`,
    whose reason is kept.
    """
    if session.unit is None:
        raise RuntimeError(f"audit record {action!r} needs a unit of work to commit with; this session only reads")
    identity = new_id()
    session.unit.trail.told(subject_type, subject_id, {**(before or {}), **(after or {})})
    await session.execute(
        insert(AUDIT).values(
            id=identity,
            recorded_at=clock.now(),
            principal_id=session.unit.principal.id,
            system_reason=session.principal.reason,
            action=action,
            subject_type=subject_type,
            subject_id=str(subject_id),
            before=_plain(before),
            after=_plain(after),
            details=_plain(with_actor(session.unit.principal, details)),
            request_id=session.unit.request_id,
        )
    )
    return identity


def with_actor(principal: Principal, details: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The details, and who acted where that was not the account's owner (the claim `act`, RFC 8693 4.1)."""
    act = principal.claims.get("act")
    if act is None:
        return details
    return {**(details or {}), "acted_by": act["sub"]} if isinstance(act, Mapping) and "sub" in act else details


def _plain(values: Mapping[str, Any] | None) -> Any:
    # Through JSON once, so that the digest is made over what will be read back.
    return None if values is None else json.loads(json.dumps(to_jsonable_python(dict(values)), allow_nan=False))


def is_unsealed() -> ColumnElement[bool]:
    """Whether a record that was committed has no place in the chain yet."""
    return AUDIT.c.sequence.is_(None)


async def seal_pending(database: Database, *, key: bytes = b"") -> int:
    """Seal what has been committed and is not sealed yet; how many. A look that finds nothing writes nothing."""
    sealed = 0
    while True:
        async with database.reading(system("audit sealer")) as session:
            if not await session.scalar(select(exists().where(is_unsealed()))):
                return sealed
        async with database.writing(system("audit sealer")) as unit:
            sealed += await seal(unit.session, key=key)


async def seal(session: Session, *, key: bytes = b"") -> int:
    """Give the committed, unsealed records (at most 500) their place in the chain; how many.

    key: with one the digests are HMACs, which somebody who may only write to the database cannot make anew.
    One sealer at a time: the row of the head is locked.
    """
    sequence, digest = await _lock_head(session)
    pending = select(AUDIT).where(is_unsealed()).order_by(AUDIT.c.id).limit(_BATCH)
    rows = (await session.execute(pending)).all()
    places = []
    for row in rows:
        sequence += 1
        digest = digest_of(row, sequence, digest, key)
        places.append({"record": row.id, "place": sequence, "link": digest})
    if places:
        await session.execute(_PLACED, places)
        await session.execute(update(AUDIT_HEAD).values(sequence=sequence, digest=digest))
    return len(rows)


async def _lock_head(session: Session) -> tuple[int, bytes]:
    start = insert_into(session, AUDIT_HEAD).values(id=_HEAD_ID, sequence=0, digest=START)
    await session.execute(start.on_conflict_do_nothing())
    # The records are read in a later statement, which therefore sees all that an earlier sealer has placed.
    head = (await session.execute(select(AUDIT_HEAD).with_for_update())).one()
    return head.sequence, head.digest


def digest_of(row: Row[Any], sequence: int, previous: bytes, key: bytes) -> bytes:
    """SHA-256 (HMAC where there is a key) of the digest before, and the record as canonical JSON."""
    moment: datetime = row.recorded_at
    record = {
        "sequence": sequence,
        "id": str(row.id),
        "recorded_at": moment.isoformat(),
        "principal_id": str(row.principal_id) if row.principal_id else None,
        "system_reason": row.system_reason,
        "action": row.action,
        "subject": [row.subject_type, row.subject_id],
        "before": row.before,
        "after": row.after,
        "details": row.details,
        "request_id": row.request_id,
    }
    content = previous + _canonical(record)
    return hmac.digest(key, content, "sha256") if key else sha256(content).digest()


def _canonical(record: Mapping[str, Any]) -> bytes:
    """JSON with sorted names, without spaces, in ASCII; by orjson where that writes the same, at a tenth of the cost."""
    if record["before"] is None and record["after"] is None and _is_of_digests(record["details"]):
        found = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
        if found.isascii() and b"\x7f" not in found:
            return found
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()


def _is_of_digests(details: Any) -> bool:
    """Whether there are texts in it and nothing else: orjson writes numbers in its own way."""
    if details is None:
        return True
    changed = details.get("changed") if type(details) is dict and len(details) == 1 else None
    return type(changed) is dict and set(map(type, changed.values())) <= {str}
