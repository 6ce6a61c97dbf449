"""What others may be told of reservations."""

from __future__ import annotations

from collections.abc import Mapping

from freehold.webhooks import Event

from .models import Reservation, Status

requested = Event("reservation.requested", Reservation, "A tenant asks for a stay or a visit.")
confirmed = Event("reservation.confirmed", Reservation, "The landlord has accepted, or the terms did at once.")
rescheduled = Event("reservation.rescheduled", Reservation, "A visit was moved, and waits for an answer again.")
rejected = Event("reservation.rejected", Reservation, "The landlord has turned it down.")
cancelled = Event("reservation.cancelled", Reservation, "One of the sides has given it up.")
expired = Event("reservation.expired", Reservation, "It was not answered in time.")

ENDED: Mapping[Status, Event] = {"rejected": rejected, "cancelled": cancelled, "expired": expired}
