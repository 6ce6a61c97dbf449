"""Processes that commit without being able to tell the others: noted in the database, which whoever commits can reach.

The note commits along with the first change that nobody is told of, so that it is seen no later than the change itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Column, Select, Table, Uuid, delete, select

from freehold.resource.base import UTCDateTime, new_id
from freehold.store.instant import instant, standing_instant
from freehold.store.ledger import LEDGER
from freehold.store.upserts import insert_into

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

SILENT = Table(
    "freehold_silent_writers",
    LEDGER,
    Column("process_id", Uuid, primary_key=True),
    Column("stamp", Uuid, nullable=False, comment="another one each time that it is noted"),
    Column("until", UTCDateTime, nullable=False, comment="after this it is noted anew, or the process is gone"),
)


@dataclass(frozen=True, slots=True)
class Silent:
    """A process of which nobody hears what it commits. is_over: it has not been noted anew. is_ending: nor for long."""

    process_id: UUID
    stamp: UUID
    is_over: bool
    is_ending: bool


async def fall_silent(session: AsyncSession, process_id: UUID, *, lasting: timedelta) -> None:
    """Note that this process commits and cannot tell, from the commit of this session on."""
    dialect = session.get_bind().dialect.name
    new = insert_into(session, SILENT).values(process_id=process_id, stamp=new_id(), until=instant(dialect, lasting))
    told = {"stamp": new.excluded.stamp, "until": new.excluded.until}
    await session.execute(new.on_conflict_do_update(index_elements=["process_id"], set_=told))


async def silent_writers(session: AsyncSession, *, lasting: timedelta) -> Sequence[Silent]:
    """Who is noted. lasting: of a note; in the second half of it, it is ending."""
    rows = await session.execute(_noted(session.get_bind().dialect.name, lasting))
    return [Silent(process_id, stamp, bool(over), bool(ending)) for process_id, stamp, over, ending in rows]


@lru_cache
def _noted(dialect: str, lasting: timedelta) -> Select[Any]:
    """Built once: it runs twice a second in every process."""
    ends = (SILENT.c.until < standing_instant(dialect, each) for each in (timedelta(0), lasting / 2))
    return select(SILENT.c.process_id, SILENT.c.stamp, *ends)


async def speaks_again(session: AsyncSession, noted: Silent) -> None:
    """Take the note back, unless it was made anew since."""
    await session.execute(delete(SILENT).where(SILENT.c.process_id == noted.process_id, SILENT.c.stamp == noted.stamp))
