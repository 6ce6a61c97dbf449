"""Which nights are taken, and by what. Stays and calendars take theirs through here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, bindparam, delete, insert, or_, select, update

from freehold import Conflict, Principal, Session
from freehold.fields import now
from freehold.store import public_fact

from ..properties import crud as properties
from .models import Block
from .schemas import BlockDraft, BlockRead

_SHOWN = 5  # conflicts, in a refusal


class ImportedNights(NamedTuple):
    """The nights that an event of a calendar elsewhere takes, from `start` up to `end`."""

    uid: str
    start: date
    end: date


class DatesTaken(Conflict):
    """Some of these nights are taken."""

    code, title = "imba.dates_taken", "Dates taken"


async def block(db: Session, actor: Principal, draft: BlockDraft) -> Block:
    """Keep nights for the owner. Over a hold or stay it breaks the invariant `imba.dates_taken` (409)."""
    properties.require_managed(await properties.held(db, draft.property_id), actor)
    async with db.unscoped("holds that have lapsed give their nights to whoever asks next") as system_db:
        await _forget_lapsed(system_db, draft.property_id)
    kept = Block(**draft.model_dump())
    db.add(kept)
    return kept


async def take(
    db: Session, stay_id: UUID, *, property_id: UUID, start: date, end: date, expires_at: datetime | None
) -> None:
    """Take nights for a stay, until `expires_at` or for good. Overlapping breaks `imba.dates_taken` (409).

    The property is held by now (`properties.held`): an import that begins later waits, and finds the stay there.
    What is taken already is refused before anything is written: whoever comes late to a night that many want waits
    for nobody. Whoever comes at the same moment meets the invariant.
    """
    async with db.unscoped("a stay takes its nights") as system_db:
        await _make_room(system_db, property_id, start, end)
        system_db.add(
            Block(id=stay_id, kind="stay", property_id=property_id, start=start, end=end, expires_at=expires_at)
        )


async def keep(db: Session, stay_id: UUID) -> bool:
    """Make a hold's nights a stay's for good. False where the hold had lapsed and they are given away."""
    async with db.unscoped("a stay keeps its nights") as system_db:
        kept = await system_db.execute(update(Block).where(Block.id == stay_id).values(expires_at=None))
    return bool(kept.rowcount)  # type: ignore[attr-defined]  # a DML result has it


async def release(db: Session, stay_id: UUID) -> None:
    """Give the nights of a stay back."""
    async with db.unscoped("a stay gives its nights back") as system_db:
        await system_db.execute(delete(Block).where(Block.id == stay_id))


def is_taken(property_id: SQLColumnExpression[UUID], since: date, until: date) -> ColumnElement[bool]:
    """SQL: a night from `since` up to `until` is taken, whoever asks: taken dates are public."""
    taking = select(Block.id).where(Block.property_id == property_id, _in_force(), _overlapping(since, until))
    return public_fact(taking.exists(), reason="taken dates are public, their guests are not")


async def taken(
    db: Session, property_id: UUID, since: date, until: date, *, imported: bool = True
) -> list[tuple[date, date]]:
    """The ranges that are taken between the days: half-open, merged where they meet, in order, cut to the window.

    imported: also by calendars elsewhere.
    """
    nights = (
        select(Block.start, Block.end)
        .where(Block.property_id == property_id, _in_force(), _overlapping(since, until))
        .order_by(Block.start)
    )
    if not imported:
        nights = nights.where(Block.kind != "imported")
    async with db.unscoped("taken dates are public, their guests are not") as system_db:
        rows = (await system_db.execute(nights)).all()
    merged: list[tuple[date, date]] = []
    for row in rows:
        start, end = max(row.start, since), min(row.end, until)
        if merged and merged[-1][1] >= start:
            start, earlier = merged.pop()
            end = max(earlier, end)
        merged.append((start, end))
    return merged


async def replace_imported(
    db: Session, calendar_id: UUID, property_id: UUID, wanted: Sequence[ImportedNights], *, since: date, until: date
) -> dict[str, int]:
    """Let an imported calendar take these nights and no others of the window. What is as it was is not touched.

    For a session in system scope, with the property locked (`properties.lock`), so that a stay which is being made
    is seen here, or sees this.
    """
    window = and_(Block.calendar_id == calendar_id, _overlapping(since, until))
    known = {
        ImportedNights(row.uid or "", row.start, row.end): row.id
        for row in await db.scalars(select(Block).where(window))
    }
    new = [nights for nights in dict.fromkeys(wanted) if nights not in known]
    gone = [row_id for nights, row_id in known.items() if nights not in set(wanted)]
    await db.execute(delete(Block).where(Block.id.in_(gone)))
    if new:
        fixed = {"kind": "imported", "property_id": property_id, "calendar_id": calendar_id}
        await db.execute(insert(Block), [fixed | nights._asdict() for nights in new])
    return {"inserted": len(new), "deleted": len(gone), "unchanged": len(known) - len(gone)}


async def forget_imported(db: Session, calendar_id: UUID) -> None:
    """Free the nights that an imported calendar took."""
    async with db.unscoped("an imported calendar gives its nights back") as system_db:
        await system_db.execute(delete(Block).where(Block.calendar_id == calendar_id))


async def held_about(db: Session, landlord_id: UUID) -> list[dict[str, Any]]:
    """What a landlord keeps for themselves, for an export. For a session in system scope."""
    own = (
        select(Block)
        .where(Block.property_id.in_(properties.ids_of(landlord_id)), Block.kind == "owner")
        .order_by(Block.id)
    )
    return [BlockRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(own)]


async def _forget_lapsed(db: Session, property_id: UUID) -> None:
    # A hold that is being confirmed at this moment is waited for here, and then is none any more.
    await db.execute(delete(Block).where(Block.property_id == property_id, Block.expires_at <= now()))


async def _make_room(db: Session, property_id: UUID, start: date, end: date) -> None:
    """Refuse nights that are taken, calendars elsewhere included; forget the lapsed holds that stand on them."""
    on_them = select(Block.start, Block.end, Block.expires_at).where(
        Block.property_id == property_id, _overlapping(start, end)
    )
    rows = (await db.execute(on_them.order_by(Block.start))).all()
    moment = now()
    standing = [row for row in rows if row.expires_at is None or row.expires_at > moment]
    if standing:
        conflicts = [{"start": row.start.isoformat(), "end": row.end.isoformat()} for row in standing[:_SHOWN]]
        raise DatesTaken("The range overlaps one that is already taken.", extra={"conflicts": conflicts})
    if rows:
        await _forget_lapsed(db, property_id)


def _in_force() -> ColumnElement[bool]:
    return or_(Block.expires_at.is_(None), Block.expires_at > _this_moment())


def _this_moment() -> ColumnElement[Any]:
    # Read when the statement runs, not when it is built: plans are built once.
    return bindparam("this_moment", callable_=now, unique=True)


def _overlapping(since: date, until: date) -> ColumnElement[bool]:
    return and_(Block.start < until, Block.end > since)
