"""A stay: its nights held at the price and terms of the moment, and what giving it up gives back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from freehold import Conflict, Session
from freehold.fields import new_id, now
from freehold.local_time import instant, local

from ..blocks import crud as blocks
from ..pricing import crud as pricing
from ..pricing.calculation import refund
from ..pricing.schemas import BookingTerms, CancellationStep, PriceLine, Quote
from ..properties import crud as properties
from .models import Reservation
from .schemas import ReservationDraft


class PriceChanged(Conflict):
    """The price is not the one that was expected. `quote` has the present one."""

    code, title = "imba.price_changed", "The price has changed"


async def hold_nights(db: Session, listing: Any, draft: ReservationDraft) -> Reservation:
    """The stay that is asked for, its nights taken. The listing is held (`properties.held`).

    Raises NotForStays, OutsideTerms, PriceChanged; taken nights break `imba.dates_taken`.
    """
    assert draft.check_in is not None
    assert draft.check_out is not None
    assert draft.guests is not None
    properties.require_nightly(listing)
    pricing.require_within(listing, draft.check_in, draft.check_out, draft.guests)
    quote = pricing.price(listing, draft.check_in, draft.check_out, draft.guests)
    if draft.expected_total not in (None, quote.total_amount):
        detail = f"It costs {quote.total_amount} {quote.currency} now, in minor units."
        raise PriceChanged(detail, extra={"quote": quote.model_dump(mode="json")})
    terms = pricing.terms_of(listing)
    stay = _stay(listing, terms, quote)
    await blocks.take(
        db,
        stay.id,
        property_id=listing.id,
        start=quote.check_in,
        end=quote.check_out + timedelta(terms.gap_nights),
        expires_at=stay.expires_at,
    )
    return stay


def refund_due(stay: Reservation) -> int | None:
    """What its tenant gets back who gives it up now: all, where it was not accepted yet."""
    if stay.status == "pending" or stay.check_in is None:
        return stay.total_amount
    return refund(
        [PriceLine.model_validate(line) for line in stay.price_lines],
        [CancellationStep.model_validate(step) for step in stay.cancellation],
        now=now(),
        check_in=stay.check_in,
        clock=f"{local(stay.starts_at, stay.time_zone):%H:%M}",
        zone=stay.time_zone,
    )


def _stay(listing: Any, terms: BookingTerms, quote: Quote) -> Reservation:
    return Reservation(
        id=new_id(),
        kind="stay",
        status="confirmed" if terms.instant else "pending",
        expires_at=None if terms.instant else now() + timedelta(hours=terms.hold_hours),
        property_id=listing.id,
        starts_at=instant(quote.check_in, terms.check_in_time, listing.time_zone),
        ends_at=instant(quote.check_out, terms.check_out_time, listing.time_zone),
        time_zone=listing.time_zone,
        check_in=quote.check_in,
        check_out=quote.check_out,
        guests=quote.guests,
        total_amount=quote.total_amount,
        currency=quote.currency,
        price_lines=[line.model_dump(exclude_none=True) for line in quote.lines],
        cancellation=[step.model_dump() for step in quote.cancellation],
        deposit_amount=quote.deposit_amount,
        deposit_status="due" if quote.deposit_amount else "none",
    )
