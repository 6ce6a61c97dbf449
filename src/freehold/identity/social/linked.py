"""Which identities at providers are whose. Found by issuer and subject, never by an address (L03). None commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from freehold.errors import NotFound
from freehold.identity.social.problems import AlreadyLinked, LastWayIn
from freehold.identity.social.provider import Profile
from freehold.identity.social.tables import LINKED_IDENTITIES
from freehold.resource import clock
from freehold.store.audit import record

if TYPE_CHECKING:
    from freehold.store.session import Session


async def owner_of(db: Session, profile: Profile) -> UUID | None:
    """The user whose identity it is."""
    columns = LINKED_IDENTITIES.c
    query = select(columns.user_id).where(columns.issuer == profile.issuer, columns.subject == profile.subject)
    found: UUID | None = await db.scalar(query)
    return found


async def link(db: Session, user_id: UUID, provider: str, profile: Profile) -> bool:
    """Make it the user's; whether it was not yet. Raises AlreadyLinked for another's, also of two at one moment."""
    values = {"user_id": user_id, "provider": provider, "issuer": profile.issuer, "subject": profile.subject}
    owner = await owner_of(db, profile)
    if owner is None:
        try:
            async with db.begin_nested():
                await db.execute(insert(LINKED_IDENTITIES).values(**values, email=profile.email))
        except IntegrityError:
            owner = await owner_of(db, profile)
            if owner is None:
                raise
    if owner is not None:
        if owner != user_id:
            raise AlreadyLinked("This identity is linked to another account.")
        return False
    # The subject alone: an address could never be taken from the record again.
    after = {"provider": provider, "issuer": profile.issuer, "subject": profile.subject}
    await record(db, "user.identity_linked", subject_type="user", subject_id=user_id, after=after)
    return True


async def used(db: Session, profile: Profile) -> None:
    """Note a log-in by it."""
    columns = LINKED_IDENTITIES.c
    mine = update(LINKED_IDENTITIES).where(columns.issuer == profile.issuer, columns.subject == profile.subject)
    await db.execute(mine.values(last_used_at=clock.now()))


async def listed(db: Session, user_id: UUID) -> list[Row[Any]]:
    """Those of a user, the oldest first."""
    query = select(LINKED_IDENTITIES).where(LINKED_IDENTITIES.c.user_id == user_id).order_by(LINKED_IDENTITIES.c.id)
    return list((await db.execute(query)).all())


async def unlink(db: Session, user_id: UUID, identity_id: UUID, *, has_other_way: bool) -> str:
    """Take one from its user; the name of its provider. The user's row is locked.

    has_other_way: a password or a passkey. Raises NotFound, LastWayIn.
    """
    columns = LINKED_IDENTITIES.c
    mine = columns.user_id == user_id
    provider: str | None = await db.scalar(select(columns.provider).where(mine, columns.id == identity_id))
    if provider is None:
        raise NotFound
    count = await db.scalar(select(func.count()).select_from(LINKED_IDENTITIES).where(mine))
    if not has_other_way and (count or 0) < 2:
        raise LastWayIn("Set a password first: without this identity nobody could log in to the account.")
    await db.execute(delete(LINKED_IDENTITIES).where(mine, columns.id == identity_id))
    before = {"provider": provider}
    await record(db, "user.identity_unlinked", subject_type="user", subject_id=user_id, before=before)
    return provider


async def forget(db: Session, user_id: UUID) -> None:
    """Remove them all: the account ends."""
    await db.execute(delete(LINKED_IDENTITIES).where(LINKED_IDENTITIES.c.user_id == user_id))
