"""How a reservation stands at this moment, on a row and in SQL; and what may follow."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, or_

from freehold import Conflict
from freehold.fields import now

from .models import Reservation, Status


class WrongState(Conflict):
    """The reservation is not in the state that this step starts from."""

    code, title = "imba.reservation_state", "Not possible in this state"


def standing(booking: Reservation) -> Status:
    """The status at this moment: a hold past its end has expired, though no sweep has written it."""
    lapsed = booking.status == "pending" and booking.expires_at is not None and booking.expires_at <= now()
    return "expired" if lapsed else booking.status


def require(booking: Reservation, *allowed: Status) -> None:
    """Raise WrongState unless it stands so."""
    found = standing(booking)
    if found not in allowed:
        raise WrongState(f"This reservation is {found}.")


def stands(status: str) -> ColumnElement[bool]:
    """SQL: the reservation stands so at this moment."""
    if status == "pending":
        return and_(Reservation.status == "pending", ~lapsed())
    if status == "expired":
        return or_(Reservation.status == "expired", lapsed())
    return Reservation.status == status


def lapsed() -> ColumnElement[bool]:
    """SQL: it is still written down as pending, and its hold has ended."""
    # The moment is read when the statement runs, not when it is built: plans are built once.
    moment: ColumnElement[Any] = bindparam("this_moment", callable_=now, unique=True)
    return and_(Reservation.status == "pending", Reservation.expires_at <= moment)
