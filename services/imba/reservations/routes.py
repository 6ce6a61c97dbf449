"""Reservations, as clients reach them."""

from __future__ import annotations

from typing import get_args

from freehold import Access, Filter, Queries, Resource, Schemas, no_overlap, owner, role

from . import crud
from .models import HOLDING, Reservation, Status
from .schemas import ReservationDraft, ReservationRead

TENANT = owner("tenant_id")
LANDLORD = owner("property.landlord_id")

reservations = Resource(
    Reservation,
    schemas=Schemas(read=ReservationRead, create=ReservationDraft),
    create=crud.reserve,
    access=Access(read=TENANT | LANDLORD | role("admin"), create=role("tenant")),
    queries=Queries(
        filters=[
            Filter(
                params={"status": Status},
                clause=lambda given: crud.stands(given["status"]),
                description=f"As it stands at this moment: {', '.join(get_args(Status))}",
            ),
            "property_id",
            "check_in",
            "check_in__gte",
            "check_in__lte",
            "check_out__gte",
            "check_out__lte",
        ],
        sort=["-created_at", "check_in"],
    ),
    invariants=[
        no_overlap(
            "property_id",
            during=("check_in", "check_out"),
            when=Reservation.status.in_(HOLDING),
            code="imba.dates_taken",
            name="imba_dates_taken",
            reveals=("check_in", "check_out"),
        )
    ],
    owner="tenant_id",
    public_facts=["check_in", "check_out"],
    problems=[crud.OwnProperty],
)
reservations.action("confirmation", crud.confirm, access=LANDLORD, summary="Confirm", problems=[crud.WrongState])
reservations.action(
    "rejection", crud.reject, access=LANDLORD, summary="Reject, with a reason", problems=[crud.WrongState]
)
reservations.action("cancellation", crud.cancel, access=TENANT | LANDLORD, summary="Cancel", problems=[crud.WrongState])
