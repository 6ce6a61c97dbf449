"""An organisation as such: found, look at, rename, close. Each function runs in its caller's unit; none commits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update

from freehold.errors import NotFound
from freehold.identity.organisations.declaration import Organisations
from freehold.identity.organisations.tables import INVITATIONS
from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.store.audit import record
from freehold.store.memberships import MEMBERSHIPS, ORGANISATIONS

if TYPE_CHECKING:
    from freehold.store.session import Session

SUBJECT = "organisation"


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody's place in an organisation."""

    organisation_id: UUID
    name: str
    role: str


async def found(db: Session, declared: Organisations, *, name: str, founder_id: UUID) -> UUID:
    """A new organisation of which the founder is the owner; its id."""
    organisation_id = new_id()
    await db.execute(insert(ORGANISATIONS).values(id=organisation_id, name=name))
    await db.execute(
        insert(MEMBERSHIPS).values(organisation_id=organisation_id, user_id=founder_id, role=declared.owner)
    )
    await record(
        db, "organisation.founded", subject_type=SUBJECT, subject_id=organisation_id, after={"owner": str(founder_id)}
    )
    return organisation_id


async def lock(db: Session, organisation_id: UUID) -> None:
    """Lock the organisation's row: before any of its memberships and invitations, so that no two wait for each other."""
    await db.execute(select(ORGANISATIONS.c.id).where(ORGANISATIONS.c.id == organisation_id).with_for_update())


async def standing(db: Session, organisation_id: UUID, user_id: UUID, *, locks: bool = False) -> Standing:
    """The place of a user in an open organisation. Raises NotFound, also where there is none for them to know of.

    locks: the organisation's row, so that two who leave at one moment cannot both believe that the other stays.
    """
    query = (
        select(ORGANISATIONS.c.name, MEMBERSHIPS.c.role)
        .join(MEMBERSHIPS, MEMBERSHIPS.c.organisation_id == ORGANISATIONS.c.id)
        .where(
            ORGANISATIONS.c.id == organisation_id,
            ORGANISATIONS.c.closed_at.is_(None),
            MEMBERSHIPS.c.user_id == user_id,
        )
    )
    if locks:
        await lock(db, organisation_id)
    row = (await db.execute(query)).first()
    if row is None:
        raise NotFound
    return Standing(organisation_id, row.name, row.role)


async def listed(db: Session, user_id: UUID) -> list[Row[Any]]:
    """The organisations of a user, with their role in each, the oldest first."""
    query = (
        select(ORGANISATIONS, MEMBERSHIPS.c.role)
        .join(MEMBERSHIPS, MEMBERSHIPS.c.organisation_id == ORGANISATIONS.c.id)
        .where(MEMBERSHIPS.c.user_id == user_id, ORGANISATIONS.c.closed_at.is_(None))
        .order_by(ORGANISATIONS.c.id)
    )
    return list((await db.execute(query)).all())


async def rename(db: Session, organisation_id: UUID, name: str) -> None:
    """Give it another name."""
    before = await db.scalar(select(ORGANISATIONS.c.name).where(ORGANISATIONS.c.id == organisation_id))
    await db.execute(update(ORGANISATIONS).where(ORGANISATIONS.c.id == organisation_id).values(name=name))
    await record(
        db, "organisation.renamed", subject_type=SUBJECT, subject_id=organisation_id,
        before={"name": before}, after={"name": name},
    )  # fmt: skip


async def close(db: Session, organisation_id: UUID) -> None:
    """End it: nobody is a member any more, so that nobody sees by it what is its. The row stays."""
    await db.execute(delete(INVITATIONS).where(INVITATIONS.c.organisation_id == organisation_id))
    await db.execute(delete(MEMBERSHIPS).where(MEMBERSHIPS.c.organisation_id == organisation_id))
    await db.execute(update(ORGANISATIONS).where(ORGANISATIONS.c.id == organisation_id).values(closed_at=clock.now()))
    await record(db, "organisation.closed", subject_type=SUBJECT, subject_id=organisation_id)
