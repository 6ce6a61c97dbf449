"""Reviewing a stay, answering, and publishing what both have said at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update

from freehold import Conflict, Forbidden, Principal, Session
from freehold.fields import now
from freehold.wording import paragraphs, phrase

from ..notices import crud as notices
from ..properties import crud as properties
from ..reservations import crud as reservations
from ..users import crud as users
from . import events
from .models import Review
from .schemas import Answer, ReviewDraft, ReviewRead

WINDOW = timedelta(days=14)
BATCH = 100


class NotReviewable(Conflict):
    """The stay has not been completed, or the time for reviewing it is over."""

    code, title = "imba.not_reviewable", "Not to be reviewed"


async def write(db: Session, actor: Principal, draft: ReviewDraft) -> Review:
    """Review a stay that is over, within 14 days of its end. A second one breaks `imba.reviewed` (409)."""
    assert actor.id is not None
    booking = await reservations.get(db, draft.reservation_id)
    async with db.unscoped("a stay has two sides, and a review its author's first name") as system_db:
        listing = await properties.known(system_db, booking.property_id)
        landlord_id, title = listing.landlord_id, listing.title
        author_name = await users.first_name(system_db, actor.id)
    if actor.id not in (booking.tenant_id, landlord_id):
        raise Forbidden("Only the two sides of a stay review it.")
    if not reservations.is_completed(booking):
        raise NotReviewable("Only a stay that has ended can be reviewed.")
    closes_at = booking.ends_at + WINDOW
    if closes_at <= now():
        raise NotReviewable(f"The time for reviewing this stay ended on {closes_at:%Y-%m-%d}.")
    await users.take_turns(db, actor.id)
    of_the_tenant = actor.id == booking.tenant_id
    review = Review(
        reservation_id=booking.id,
        subject="property" if of_the_tenant else "guest",
        property_id=booking.property_id if of_the_tenant else None,
        guest_id=None if of_the_tenant else booking.tenant_id,
        author_id=actor.id,
        author_name=author_name,
        rating=draft.rating,
        text=draft.text,
        closes_at=closes_at,
    )
    db.add(review)
    await db.flush()
    await _invite(db, booking, landlord_id if of_the_tenant else booking.tenant_id, title)
    return review


async def answer(db: Session, actor: Principal, review: Review, body: Answer) -> Review:
    """Answer a review of one's property; once more replaces the answer."""
    review.answer = body.text
    review.answered_at = now()
    return review


async def withdraw_answer(db: Session, actor: Principal, review: Review) -> None:
    """Take the answer back. Without effect where there is none."""
    review.answer = review.answered_at = None


async def publish_due(db: Session) -> int:
    """Publish what is due of up to 100 stays, each stay's at once, in a session of system scope; how many reviews.

    Locks the reviews, then the properties whose ratings they join, both in the order of their ids.
    """
    due = (
        select(Review.reservation_id)
        .where(Review.published_at.is_(None))
        .group_by(Review.reservation_id)
        .having(or_(func.count() > 1, func.min(Review.closes_at) <= now()))
        .order_by(Review.reservation_id)
        .limit(BATCH)
    )
    stays = list(await db.scalars(due))
    unpublished = select(Review).where(Review.reservation_id.in_(stays), Review.published_at.is_(None))
    locked = unpublished.order_by(Review.id).with_for_update()
    found = list(await db.scalars(locked, execution_options={"populate_existing": True}))
    rated = [review for review in found if review.property_id is not None]
    for review in found:
        review.published_at = now()
    await properties.rate(db, [(review.property_id, review.rating) for review in rated if review.property_id])
    for review in found:
        await _tell_published(db, review)
        await events.published.emit(db, review)
    return len(found)


async def held_about(db: Session, user_id: UUID) -> list[dict[str, Any]]:
    """What the person wrote, and what is published of them as a guest, for an export. For a session in system scope."""
    published = Review.published_at.is_not(None)
    mine = select(Review).where(or_(Review.author_id == user_id, (Review.guest_id == user_id) & published))
    return [
        ReviewRead.model_validate(row).model_dump(
            mode="json", exclude=set() if row.author_id == user_id else {"author_id"}
        )
        for row in await db.scalars(mine.order_by(Review.id))
    ]


async def erase(db: Session, user_id: UUID) -> None:
    """Remove what is said of the person and what they have not published; take their name off what is published.

    For a session in system scope. The ratings stay in the listings' averages. Their listings' answers go, too.
    """
    about = or_(Review.guest_id == user_id, (Review.author_id == user_id) & Review.published_at.is_(None))
    await db.execute(delete(Review).where(about))
    await db.execute(update(Review).where(Review.author_id == user_id).values(author_name=""))
    own = properties.ids_of(user_id)
    answered = update(Review).where(Review.property_id.in_(own), Review.answer.is_not(None))
    await db.execute(answered.values(answer=None, answered_at=None), execution_options={"synchronize_session": False})


async def _invite(db: Session, booking: Any, other_id: UUID, title: str) -> None:
    """Tell the other side that they were reviewed, where they have not written themselves."""
    written = select(Review.id).where(Review.reservation_id == booking.id, Review.author_id == other_id)
    async with db.unscoped("whether the other side of a stay has written") as system_db:
        if (await system_db.scalars(written)).first() is not None:
            return
    await notices.notify(
        db,
        other_id,
        kind="review",
        subject=phrase("The other side has reviewed a stay"),
        text=phrase(
            "{title}, until {day}. You read it once you have written yours, or when the time is over.",
            title=title,
            day=booking.check_out,
        ),
        link=f"/v1/reservations/{booking.id}",
        once=f"review-written:{booking.id}",
    )


async def _tell_published(db: Session, review: Review) -> None:
    if review.property_id is None:
        receiver_id, subject = review.guest_id, phrase("You were reviewed as a guest")
    else:
        listing = await properties.known(db, review.property_id)
        receiver_id, subject = listing.landlord_id, phrase("A property of yours was reviewed")
    assert receiver_id is not None
    text = paragraphs(phrase("{rating} of 5.", rating=review.rating), review.text)
    await notices.notify(db, receiver_id, kind="review", subject=subject, text=text, link=f"/v1/reviews/{review.id}")
