"""Invitations by mail: a link that works once, for the account with the invited address. None commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select

from freehold.errors import Forbidden, NotFound
from freehold.identity.emails import email_key
from freehold.identity.notices import Notices
from freehold.identity.one_time import unknown_token
from freehold.identity.organisations import groups
from freehold.identity.organisations.declaration import Organisations
from freehold.identity.organisations.groups import SUBJECT, Standing
from freehold.identity.organisations.members import refuse_unknown
from freehold.identity.organisations.problems import AlreadyMember
from freehold.identity.organisations.tables import INVITATIONS
from freehold.identity.sealing import new_token, token_hash
from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.store.audit import record
from freehold.store.memberships import MEMBERSHIPS
from freehold.store.upserts import put

if TYPE_CHECKING:
    from freehold.store.session import Session


async def invite(
    db: Session,
    declared: Organisations,
    notices: Notices,
    *,
    user: Any,
    actor: Standing,
    actor_id: UUID,
    email: str,
    role: str,
) -> UUID:
    """Mail a link to an address; its id. An earlier invitation of the address is void.

    The same for an address with an account and one without. user: the service's model.
    Raises Forbidden, Invalid for an unknown role, AlreadyMember.
    """
    refuse_unknown(declared, role)
    declared.require(actor.role, declared.manager)
    declared.require_rank(actor.role, role)
    key = email_key(email)
    if await _is_member(db, user, actor.organisation_id, key):
        raise AlreadyMember("This address is that of a member already.")
    token, invitation_id = new_token("fhi_"), new_id()
    values = {
        "id": invitation_id,
        "email": email,
        "role": role,
        "token_hash": token_hash(token),
        "invited_by": actor_id,
        "created_at": clock.now(),
        "expires_at": clock.now() + declared.invitation_lifetime,
    }
    await put(db, INVITATIONS, {"organisation_id": actor.organisation_id, "email_key": key}, values)
    # The address is personal, and a record is for good: it names the invitation alone.
    after = {"invitation_id": str(invitation_id), "role": role}
    await record(db, "organisation.invited", subject_type=SUBJECT, subject_id=actor.organisation_id, after=after)
    await notices.invitation(db, email, token, declared.invitation_lifetime, organisation=actor.name)
    return invitation_id


async def pending(db: Session, organisation_id: UUID) -> list[Row[Any]]:
    """Those that wait for an answer, the newest first."""
    columns = INVITATIONS.c
    query = select(INVITATIONS).where(columns.organisation_id == organisation_id, columns.expires_at > clock.now())
    return list((await db.execute(query.order_by(columns.id.desc()))).all())


async def revoke(db: Session, organisation_id: UUID, invitation_id: UUID) -> None:
    """Take one back. Raises NotFound."""
    columns = INVITATIONS.c
    gone = delete(INVITATIONS).where(columns.organisation_id == organisation_id, columns.id == invitation_id)
    if (await db.execute(gone.returning(columns.id))).first() is None:
        raise NotFound
    after = {"invitation_id": str(invitation_id)}
    await record(db, "organisation.invitation_revoked", subject_type=SUBJECT, subject_id=organisation_id, after=after)


async def sweep(db: Session) -> None:
    """Remove those whose time is over: an address is kept no longer than it is needed."""
    await db.execute(delete(INVITATIONS).where(INVITATIONS.c.expires_at <= clock.now()))


async def forget(db: Session, key: str) -> None:
    """Remove those of an address: its owner leaves."""
    await db.execute(delete(INVITATIONS).where(INVITATIONS.c.email_key == key))


async def accept(db: Session, user: Any, token: str) -> UUID:
    """Become a member by the link; the organisation's id. user: the caller's row, whose address the link proves.

    Of many who try at once, one uses the link up. Raises Invalid for a link that is not good, Forbidden where it was
    mailed to another address.
    """
    columns = INVITATIONS.c
    is_it = columns.token_hash == token_hash(token)
    organisation_id = await db.scalar(select(columns.organisation_id).where(is_it))
    if organisation_id is None:
        raise unknown_token()
    await groups.lock(db, organisation_id)
    row = (
        await db.execute(
            delete(INVITATIONS)
            .where(is_it, columns.expires_at > clock.now())
            .returning(columns.organisation_id, columns.email_key, columns.role)
        )
    ).first()
    if row is None:
        raise unknown_token()
    if row.email_key != user.email_key:
        raise Forbidden("The invitation was mailed to another address: log in to the account that has it.")
    user.email_verified_at = user.email_verified_at or clock.now()  # the link came by that address
    held = select(MEMBERSHIPS.c.role).where(
        MEMBERSHIPS.c.organisation_id == row.organisation_id, MEMBERSHIPS.c.user_id == user.id
    )
    if (await db.execute(held)).first() is None:
        await db.execute(
            insert(MEMBERSHIPS).values(organisation_id=row.organisation_id, user_id=user.id, role=row.role)
        )
        after = {"user_id": str(user.id), "role": row.role}
        await record(db, "organisation.joined", subject_type=SUBJECT, subject_id=row.organisation_id, after=after)
    found: UUID = row.organisation_id
    return found


async def _is_member(db: Session, user: Any, organisation_id: UUID, key: str) -> bool:
    people = user.__table__.c
    query = (
        select(MEMBERSHIPS.c.user_id)
        .join(user.__table__, people.id == MEMBERSHIPS.c.user_id)
        .where(MEMBERSHIPS.c.organisation_id == organisation_id, people.email_key == key)
    )
    async with db.unscoped("whether an address is a member's") as everyone:
        return (await everyone.execute(query)).first() is not None
