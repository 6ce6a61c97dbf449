"""What the two sides of a reservation are told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from freehold.wording import Moment, Money, Phrase, phrase

from .models import Kind, Reservation

News: TypeAlias = Literal["requested", "confirmed", "rejected", "cancelled", "moved"]

NEWS: Mapping[tuple[Kind, News], Phrase] = {
    ("stay", "requested"): phrase("A request for a stay"),
    ("stay", "confirmed"): phrase("Your stay is confirmed"),
    ("stay", "rejected"): phrase("Your stay was not accepted"),
    ("stay", "cancelled"): phrase("Your stay was cancelled"),
    ("visit", "requested"): phrase("A request for a visit"),
    ("visit", "confirmed"): phrase("Your visit is confirmed"),
    ("visit", "rejected"): phrase("Your visit was not accepted"),
    ("visit", "cancelled"): phrase("Your visit was cancelled"),
    ("visit", "moved"): phrase("A visit was moved"),
}


def when(booking: Reservation) -> Phrase:
    """When it is, by the clock there."""
    if booking.kind == "visit":
        return phrase("On {moment}.", moment=Moment(booking.starts_at, booking.time_zone))
    return phrase(
        "From {start} to {end}, guests: {guests}.", start=booking.check_in, end=booking.check_out, guests=booking.guests
    )


def price(booking: Reservation) -> list[Phrase]:
    """What a stay costs, and what of it is given back; nothing of a visit."""
    if booking.total_amount is None or booking.currency is None:
        return []
    said = [phrase("Total: {amount}.", amount=Money(booking.total_amount, booking.currency))]
    if booking.refund_amount is not None:
        said.append(phrase("Given back: {amount}.", amount=Money(booking.refund_amount, booking.currency)))
    return said
