"""A property's terms, what a stay under them costs, and whether they admit it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from freehold import Invalid, Principal, Session
from freehold.errors import FieldError
from freehold.local_time import today

from ..properties import crud as properties
from .calculation import price_lines
from .schemas import WEEKDAYS, BookingTerms, Quote, Wanted


class OutsideTerms(Invalid):
    """The property is not let so: too few nights, another day of arrival, too many guests."""

    code, title = "imba.outside_terms", "Not within the terms of this property"


def terms_of(listing: Any) -> BookingTerms:
    """The terms of a property; the defaults where its landlord has set none."""
    return BookingTerms.model_validate(listing.booking_terms or {})


async def get_terms(db: Session, actor: Principal, listing: Any) -> BookingTerms:
    """On which terms the property is let by the night."""
    return terms_of(listing)


async def put_terms(db: Session, actor: Principal, listing: Any, terms: BookingTerms) -> BookingTerms:
    """Let the property on other terms from now on. What is booked keeps its own."""
    listing.booking_terms = terms.model_dump(mode="json")
    return terms


async def quote(db: Session, actor: Principal, listing: Any, wanted: Wanted) -> Quote:
    """What a stay would cost now. It holds nothing, and does not say whether the dates are free."""
    properties.require_nightly(listing)
    check_in = wanted.check_in or today(listing.time_zone) + timedelta(days=1)
    check_out = wanted.check_out or _first_departure(terms_of(listing), check_in)
    require_within(listing, check_in, check_out, wanted.guests, place="parameter")
    return price(listing, check_in, check_out, wanted.guests)


def price(listing: Any, check_in: date, check_out: date, guests: int) -> Quote:
    """The price of these nights by the property's price and terms of this moment."""
    terms = terms_of(listing)
    lines = price_lines(terms, listing.price_amount, check_in, check_out)
    return Quote(
        property_id=listing.id,
        check_in=check_in,
        check_out=check_out,
        guests=guests,
        lines=lines,
        total_amount=sum(line.amount for line in lines),
        currency=listing.price_currency,
        deposit_amount=terms.deposit_amount,
        cancellation=terms.steps,
    )


def require_within(listing: Any, check_in: date, check_out: date, guests: int, *, place: str = "pointer") -> None:
    """Raise OutsideTerms with every term that is not met. place: how the input was sent, `pointer` or `parameter`."""
    mark = "/" if place == "pointer" else ""
    faults = [
        FieldError(code, message, **{place: f"{mark}{name}"})
        for name, code, message in _faults(listing, check_in, check_out, guests)
    ]
    if faults:
        raise OutsideTerms(errors=faults)


def _first_departure(terms: BookingTerms, check_in: date) -> date:
    """The end of the shortest stay from then on."""
    ends = (check_in + timedelta(days=terms.min_nights + more) for more in range(7))
    return next(end for end in ends if WEEKDAYS[end.weekday()] in terms.departure_days)


def _faults(listing: Any, check_in: date, check_out: date, guests: int) -> Iterator[tuple[str, str, str]]:
    terms, nights = terms_of(listing), (check_out - check_in).days
    ahead = (check_in - today(listing.time_zone)).days
    if ahead < 0:
        yield "check_in", "past", f"the day has passed (in {listing.time_zone})"
    elif ahead < terms.notice_days:
        yield "check_in", "notice", f"at least {terms.notice_days} days ahead"
    elif terms.horizon_days is not None and ahead > terms.horizon_days:
        yield "check_in", "horizon", f"at most {terms.horizon_days} days ahead"
    if WEEKDAYS[check_in.weekday()] not in terms.arrival_days:
        yield "check_in", "arrival_day", f"arrival on {', '.join(terms.arrival_days)} only"
    if WEEKDAYS[check_out.weekday()] not in terms.departure_days:
        yield "check_out", "departure_day", f"departure on {', '.join(terms.departure_days)} only"
    if nights <= 0:
        yield "check_out", "nights", "check_out has to be after check_in"
    elif nights < terms.min_nights:
        yield "check_out", "min_nights", f"at least {terms.min_nights} nights"
    elif nights > terms.max_nights:
        yield "check_out", "max_nights", f"at most {terms.max_nights} nights"
    if guests > terms.max_guests:
        yield "guests", "max_guests", f"at most {terms.max_guests} guests"
