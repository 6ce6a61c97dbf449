"""Whether the audit trail is what it was when it was written: the chain, and the values beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Row, select

from freehold.store.audit import AUDIT, AUDIT_HEAD, START, digest_of
from freehold.store.audit_values import AUDIT_VALUES, DIGESTS, ERASED, is_altered

if TYPE_CHECKING:
    from freehold.store.session import Session

_PAGE = 500


async def verify(session: Session, *, key: bytes = b"") -> list[str]:
    """Walk the whole chain and name every fault; empty when it is whole.

    Finds changed, removed, reordered and inserted records, a chain cut off at its end, and values of changes that were
    altered, or are gone without an erasure on record. Reads in pages.
    """
    faults: list[str] = []
    expected, digest = 1, START
    while page := (await session.execute(_page(expected))).all():
        for row in page:
            if row.sequence != expected:
                faults.append(f"records {expected} to {row.sequence - 1} are missing")
            if digest_of(row, row.sequence, digest, key) != row.digest:
                faults.append(f"record {row.sequence} ({row.id}) does not follow from the one before it")
            # Go on from what is stored, so that one fault is told once and later ones are found as well.
            expected, digest = row.sequence + 1, row.digest
        faults += await _value_faults(session, page)
    head = (await session.execute(select(AUDIT_HEAD))).one_or_none()
    if head is None and expected > 1:
        faults.append("the head of the chain is missing")
    elif head is not None and (head.sequence, head.digest) != (expected - 1, digest):
        faults.append(f"the chain ends at {expected - 1}, but {head.sequence} records were sealed")
    return faults


def _page(first: int) -> Any:
    return select(AUDIT).where(AUDIT.c.sequence >= first).order_by(AUDIT.c.sequence).limit(_PAGE)


async def _value_faults(session: Session, page: Iterable[Row[Any]]) -> list[str]:
    promised = {row.id: row for row in page if (row.details or {}).get(DIGESTS)}
    if not promised:
        return []
    rows = await session.execute(select(AUDIT_VALUES).where(AUDIT_VALUES.c.record_id.in_(promised)))
    kept: dict[UUID, Any] = {row.record_id: row.content for row in rows}
    faults: list[str] = []
    for identity, row in promised.items():
        digests, content = row.details[DIGESTS], kept.get(identity, {})
        altered = [name for name, value in content.items() if is_altered(name, value, digests.get(name))]
        gone = digests.keys() - content.keys()
        if altered:
            faults.append(f"record {row.sequence} ({identity}): the values of {', '.join(altered)} were altered")
        if gone and not await _were_erased(session, row, gone):
            named = ", ".join(sorted(gone))
            faults.append(f"record {row.sequence} ({identity}): the values of {named} are gone, by no recorded erasure")
    return faults


async def _were_erased(session: Session, row: Row[Any], gone: set[str]) -> bool:
    asked = select(AUDIT.c.details).where(
        AUDIT.c.subject_type == row.subject_type,
        AUDIT.c.subject_id == row.subject_id,
        AUDIT.c.action == ERASED,
        AUDIT.c.sequence > row.sequence,
    )
    erased = [details["fields"] for details in (await session.scalars(asked)).all()]
    return None in erased or gone <= {name for names in erased for name in names}
