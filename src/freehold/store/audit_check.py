"""Whether the audit trail is what it was when it was written: the chain, and the values beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Row, func, select

from freehold.store.audit import AUDIT, AUDIT_HEAD
from freehold.store.audit_sealing import START, digest_of
from freehold.store.audit_values import AUDIT_VALUES, ERASED, digests_in, is_altered

if TYPE_CHECKING:
    from freehold.store.session import Session

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where the trail is not what was written. sequence: the record's number, or of the first one missing."""

    sequence: int
    message: str
    record_id: UUID | None = None

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk over the trail found.

    sealed: records in the chain. waiting: committed, and not sealed yet. digest: of the last record; written down
    elsewhere, it shows later that the chain was not made anew. faults: in the order of the chain, at most `most`.
    """

    sealed: int
    waiting: int
    digest: bytes
    faults: list[Fault]


async def verify(session: Session, *, key: bytes = b"", most: int = 100) -> list[Fault]:
    """The faults that `examine` finds."""
    return (await examine(session, key=key, most=most)).faults


async def examine(session: Session, *, key: bytes = b"", most: int = 100) -> Verdict:
    """Walk the whole chain, in pages, and name its faults; a service may go on writing meanwhile.

    Finds changed, removed, reordered and inserted records, a chain cut off at its end, and values of changes that were
    altered, or are gone without an erasure on record. Ends after `most` faults: with a wrong key every record is one.
    """
    faults: list[Fault] = []
    promised = await _head(session)
    expected, digest, sealed, at_head = 1, START, 0, START
    while len(faults) < most and (page := (await session.execute(_page(expected))).all()):
        for row in page:
            if row.sequence != expected:
                faults.append(Fault(expected, f"records {expected} to {row.sequence - 1} are missing"))
            if digest_of(row, row.sequence, digest, key) != row.digest:
                said = f"record {row.sequence} ({row.id}) does not follow from the one before it"
                faults.append(Fault(row.sequence, said, row.id))
            # Go on from what is stored, so that one fault is told once and later ones are found as well.
            expected, digest, sealed = row.sequence + 1, row.digest, sealed + 1
            at_head = digest if promised is not None and row.sequence == promised[0] else at_head
        faults += await _value_faults(session, page)
    if len(faults) < most:
        faults += _end_faults(promised, await _head(session), last=expected - 1, at_head=at_head)
    waiting = await session.scalar(select(func.count()).select_from(AUDIT).where(AUDIT.c.sequence.is_(None)))
    return Verdict(sealed, waiting or 0, digest, sorted(faults, key=lambda fault: fault.sequence)[:most])


async def _head(session: Session) -> tuple[int, bytes] | None:
    head = (await session.execute(select(AUDIT_HEAD))).one_or_none()
    return None if head is None else (head.sequence, head.digest)


def _end_faults(
    before: tuple[int, bytes] | None, after: tuple[int, bytes] | None, *, last: int, at_head: bytes
) -> list[Fault]:
    """The head against the chain. before, after: read on either side of the walk, for records are sealed meanwhile."""
    if after is None:
        return [Fault(last, "the head of the chain is missing")] if last or before is not None else []
    if before is not None and (before[0] > last or before[1] != at_head):
        return [Fault(last + 1, f"the chain ends at {last}, but {before[0]} records were sealed")]
    if after[0] < last:
        return [Fault(after[0] + 1, f"the chain ends at {last}, but {after[0]} records were sealed")]
    return []


def _page(first: int) -> Any:
    return select(AUDIT).where(AUDIT.c.sequence >= first).order_by(AUDIT.c.sequence).limit(_PAGE)


async def _value_faults(session: Session, page: Iterable[Row[Any]]) -> list[Fault]:
    promised = {row.id: (row, digests) for row in page if (digests := digests_in(row.details))}
    if not promised:
        return []
    rows = await session.execute(select(AUDIT_VALUES).where(AUDIT_VALUES.c.record_id.in_(promised)))
    kept: dict[UUID, Any] = {row.record_id: row.content for row in rows}
    faults: list[Fault] = []
    for identity, (row, digests) in promised.items():
        content = kept.get(identity, {})
        altered = [name for name, value in content.items() if is_altered(name, value, digests.get(name))]
        gone = digests.keys() - content.keys()
        if altered:
            said = f"record {row.sequence} ({identity}): the values of {', '.join(altered)} were altered"
            faults.append(Fault(row.sequence, said, identity))
        if gone and not await _were_erased(session, row, gone):
            named = ", ".join(sorted(gone))
            said = f"record {row.sequence} ({identity}): the values of {named} are gone, by no recorded erasure"
            faults.append(Fault(row.sequence, said, identity))
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
