"""Reservations, as clients reach them."""

from __future__ import annotations

from typing import get_args

from sqlalchemy import and_

from freehold import Access, Filter, Queries, Resource, Schemas, no_overlap, owner, role, scope

from ..access import MANAGER
from . import crud
from .models import HOLDING, Reservation, Status
from .schemas import Contact, ReservationDraft, ReservationRead
from .states import WrongState, stands
from .stays import PriceChanged

TENANT = owner("tenant_id")
VISIT_IN_FORCE = and_(Reservation.kind == "visit", Reservation.status.in_(HOLDING))

reservations = Resource(
    Reservation,
    schemas=Schemas(read=ReservationRead, create=ReservationDraft),
    create=crud.reserve,
    access=Access(read=(TENANT | MANAGER | role("admin")) & scope("stays:read"), create=role("tenant")),
    queries=Queries(
        filters=[
            Filter(
                params={"status": Status},
                clause=lambda given: stands(given["status"]),
                description=f"As it stands at this moment: {', '.join(get_args(Status))}",
            ),
            "kind",
            "property_id",
            "check_in",
            "check_in__gte",
            "check_in__lte",
            "check_out__gte",
            "check_out__lte",
            "starts_at__gte",
            "starts_at__lt",
        ],
        sort=["-created_at", "check_in", "starts_at"],
    ),
    # The nights of stays are under the rule of the blocks, together with the owner's own.
    invariants=[
        no_overlap(
            "property_id",
            during=("starts_at", "clear_at"),
            when=VISIT_IN_FORCE,
            code="imba.dates_taken",
            name="imba_visit_taken",
            reveals=("starts_at", "ends_at"),
        ),
        no_overlap(
            "tenant_id",
            during=("starts_at", "ends_at"),
            when=VISIT_IN_FORCE,
            code="imba.visiting_elsewhere",
            name="imba_visiting_elsewhere",
        ),
    ],
    owner="tenant_id",
    public_facts=["check_in", "check_out", "starts_at", "ends_at"],
    problems=[crud.OwnProperty, PriceChanged],
)
reservations.action("confirmation", crud.confirm, access=MANAGER, summary="Confirm", problems=[WrongState])
reservations.action("rejection", crud.reject, access=MANAGER, summary="Reject, with a reason", problems=[WrongState])
reservations.action("cancellation", crud.cancel, access=TENANT | MANAGER, summary="Cancel", problems=[WrongState])
reservations.action("rescheduling", crud.reschedule, access=TENANT, summary="Move a visit", problems=[WrongState])
reservations.view("contact", crud.contact, returns=Contact, access=TENANT | MANAGER, summary="The other side")
