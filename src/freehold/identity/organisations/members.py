"""Who is in an organisation, and as what. Each function runs in its caller's unit; none commits.

Whoever changes memberships has locked the organisation's row before (`groups.standing(locks=True)`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update

from freehold.errors import FieldError, Invalid, NotFound
from freehold.identity.organisations import groups
from freehold.identity.organisations.declaration import Organisations
from freehold.identity.organisations.groups import SUBJECT, Standing
from freehold.identity.organisations.problems import LastOwner
from freehold.identity.organisations.tables import INVITATIONS
from freehold.store.audit import record
from freehold.store.memberships import MEMBERSHIPS

if TYPE_CHECKING:
    from freehold.store.session import Session


async def page(db: Session, user: Any, organisation_id: UUID, *, after: UUID | None, most: int) -> Sequence[Row[Any]]:
    """Members with their name and address, by user id. user: the service's model. For whoever may see them."""
    people = user.__table__.c
    query = (
        select(MEMBERSHIPS, people.full_name, people.email)
        .join(user.__table__, people.id == MEMBERSHIPS.c.user_id)
        .where(MEMBERSHIPS.c.organisation_id == organisation_id)
        .order_by(MEMBERSHIPS.c.user_id)
        .limit(most)
    )
    if after is not None:
        query = query.where(MEMBERSHIPS.c.user_id > after)
    async with db.unscoped("members see who else is one") as everyone:
        return (await everyone.execute(query)).all()


async def set_role(db: Session, declared: Organisations, actor: Standing, user_id: UUID, role: str) -> None:
    """Give a member another role. Raises NotFound, Forbidden for a role above the actor's, Invalid, LastOwner."""
    refuse_unknown(declared, role)
    declared.require(actor.role, declared.manager)
    held = await _role(db, actor.organisation_id, user_id)
    declared.require_rank(actor.role, held)
    declared.require_rank(actor.role, role)
    if held == role:
        return
    await db.execute(update(MEMBERSHIPS).where(*_of(actor.organisation_id, user_id)).values(role=role))
    await _take_back(db, actor.organisation_id, user_id)
    await _refuse_orphan(db, declared, actor.organisation_id)
    await _record(db, "organisation.role_set", actor.organisation_id, user_id, before=held, after=role)


async def remove(db: Session, declared: Organisations, actor: Standing, actor_id: UUID, user_id: UUID) -> None:
    """End a membership: one's own, or, for a manager, another's. Raises NotFound, Forbidden, LastOwner."""
    if user_id != actor_id:
        declared.require(actor.role, declared.manager)
    held = await _role(db, actor.organisation_id, user_id)
    declared.require_rank(actor.role, held)
    await db.execute(delete(MEMBERSHIPS).where(*_of(actor.organisation_id, user_id)))
    await _take_back(db, actor.organisation_id, user_id)
    await _refuse_orphan(db, declared, actor.organisation_id)
    await _record(db, "organisation.member_removed", actor.organisation_id, user_id, before=held, after=None)


async def _take_back(db: Session, organisation_id: UUID, user_id: UUID) -> None:
    """Their open invitations: whoever may not invite any more has nobody come in by what they sent before."""
    theirs = (INVITATIONS.c.organisation_id == organisation_id, INVITATIONS.c.invited_by == user_id)
    await db.execute(delete(INVITATIONS).where(*theirs))


async def leave_all(db: Session, declared: Organisations, user_id: UUID) -> None:
    """Somebody's account ends: so do their memberships, and organisations in which they were alone. Raises LastOwner."""
    mine = await groups.listed(db, user_id)
    for organisation_id in (row.id for row in mine):
        await groups.lock(db, organisation_id)
        if await _count(db, organisation_id) == 1:
            await groups.close(db, organisation_id)
            continue
        await db.execute(delete(MEMBERSHIPS).where(*_of(organisation_id, user_id)))
        await _refuse_orphan(db, declared, organisation_id)


def refuse_unknown(declared: Organisations, role: str) -> None:
    """Raise Invalid for a role that organisations do not have."""
    if role not in declared.roles.names:
        fault = FieldError("role.unknown", f"Known roles: {', '.join(declared.roles.names)}.", pointer="/role")
        raise Invalid("There is no such role.", errors=[fault])


async def _role(db: Session, organisation_id: UUID, user_id: UUID) -> str:
    held: str | None = await db.scalar(select(MEMBERSHIPS.c.role).where(*_of(organisation_id, user_id)))
    if held is None:
        raise NotFound
    return held


async def _refuse_orphan(db: Session, declared: Organisations, organisation_id: UUID) -> None:
    if not await _count(db, organisation_id, MEMBERSHIPS.c.role == declared.owner):
        raise LastOwner


async def _count(db: Session, organisation_id: UUID, *further: Any) -> int:
    counted = select(func.count()).select_from(MEMBERSHIPS)
    found: int | None = await db.scalar(counted.where(MEMBERSHIPS.c.organisation_id == organisation_id, *further))
    return found or 0


def _of(organisation_id: UUID, user_id: UUID) -> tuple[Any, Any]:
    return MEMBERSHIPS.c.organisation_id == organisation_id, MEMBERSHIPS.c.user_id == user_id


async def _record(
    db: Session, action: str, organisation_id: UUID, user_id: UUID, *, before: str | None, after: str | None
) -> None:
    values = {
        name: {"user_id": str(user_id), "role": role} for name, role in (("before", before), ("after", after)) if role
    }
    await record(db, action, subject_type=SUBJECT, subject_id=organisation_id, **values)
