"""Prices and refunds, in whole minor units. Pure: no session, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from freehold.local_time import instant

from .schemas import BookingTerms, CancellationStep, PriceLine


def price_lines(terms: BookingTerms, nightly: int, check_in: date, check_out: date) -> list[PriceLine]:
    """The parts of a stay's price: runs of nights at one price, the discount for its length, the cleaning."""
    lines = list(_nights(terms, nightly, check_in, check_out))
    discount = _discount(terms, (check_out - check_in).days, sum(line.amount for line in lines))
    if discount is not None:
        lines.append(discount)
    if terms.cleaning_amount:
        lines.append(PriceLine(kind="cleaning", amount=terms.cleaning_amount))
    return lines


def refund(
    lines: Sequence[PriceLine],
    steps: Sequence[CancellationStep],
    *,
    now: datetime,
    check_in: date,
    clock: str,
    zone: str,
) -> int:
    """What a tenant who cancels gets back: all of the cleaning, and of the nights what the last step not passed says.

    A step ends at the hour of check-in by the clock there, so many days earlier, that instant included. After the
    check-in nothing is given back. Rounded to the nearest minor unit, a half in the tenant's favour.
    """
    if now >= instant(check_in, clock, zone):
        return 0
    percents = [step.percent for step in steps if now <= instant(check_in - timedelta(step.days_before), clock, zone)]
    nights = sum(line.amount for line in lines if line.kind != "cleaning")
    cleaning = sum(line.amount for line in lines if line.kind == "cleaning")
    return _half_up(nights * max(percents, default=0), 100) + cleaning


def _nights(terms: BookingTerms, nightly: int, check_in: date, check_out: date) -> Iterator[PriceLine]:
    nights = (check_in + timedelta(number) for number in range((check_out - check_in).days))
    for unit_amount, run in groupby(_price(terms, nightly, night) for night in nights):
        count = len(list(run))
        yield PriceLine(kind="nights", amount=count * unit_amount, nights=count, unit_amount=unit_amount)


def _price(terms: BookingTerms, nightly: int, night: date) -> int:
    return next((s.price_amount for s in terms.seasons if s.start <= night < s.end), nightly)


def _discount(terms: BookingTerms, nights: int, amount: int) -> PriceLine | None:
    reached = [each for each in terms.length_discounts if each.nights <= nights]
    if not reached:
        return None
    points = reached[-1].basis_points
    return PriceLine(kind="length_discount", amount=-_half_up(amount * points, 10_000), basis_points=points)


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
