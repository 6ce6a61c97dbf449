"""The audit trail: who did what to which thing, written with the deed and sealed in a chain (E05).

A record commits with its cause. Within a second the sealer gives it the next number and a digest over itself and the
digest before it, in the order in which commits became visible; nobody can change, remove or reorder a sealed record
without breaking the chain. Triggers refuse every other UPDATE and every DELETE, also by hand-written SQL.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    event,
    insert,
    text,
)

from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.resource.principal import Principal
from freehold.store.audit_ddl import AUDIT_DDL, AuditWalls
from freehold.store.ledger import LEDGER

if TYPE_CHECKING:
    from freehold.store.session import Session

_UNSEALED = text("sequence IS NULL")

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
