"""Listings, as clients reach them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement

from freehold import Access, Filter, Geo, Invalid, Principal, Queries, Resource, Schemas, Session, owner, role, where
from freehold.errors import FieldError
from freehold.fields import Day

from ..reservations import crud as reservations
from . import crud, publication
from .models import Property
from .schemas import Availability, BusyRange, PropertyDraft, PropertyRead, Window

LANDLORD = owner("landlord_id")
IS_THERE = where(Property.deleted_at.is_(None))
IS_LISTED = where(Property.status == "listed")


def _free(given: Mapping[str, Any]) -> ColumnElement[bool]:
    since, until = given["available_from"], given["available_to"]
    if since is None or until is None or until <= since:
        wrong = FieldError("window", "give both days, available_to after available_from", parameter="available_to")
        raise Invalid("available_from and available_to go together.", errors=[wrong])
    return ~reservations.is_taken(Property.id, since, until)


async def availability(db: Session, actor: Principal, listing: Property, window: Window) -> Availability:
    """When the property is taken, without telling by whom."""
    since, until = window.days()
    busy = [BusyRange(start=start, end=end) for start, end in await reservations.taken(db, listing.id, since, until)]
    return Availability(property_id=listing.id, start=since, end=until, busy=busy)


properties = Resource(
    Property,
    schemas=Schemas(read=PropertyRead, create=PropertyDraft),
    delete=crud.delete,
    access=Access(
        read=IS_THERE & (IS_LISTED | LANDLORD | role("reviewer", "admin")),
        create=role("landlord"),
        update=LANDLORD | role("admin"),
        delete=LANDLORD | role("admin"),
    ),
    queries=Queries(
        filters=[
            "city",
            "city__contains",
            "kind",
            "bedrooms",
            "bedrooms__gte",
            "bathrooms__gte",
            "price_amount__gte",
            "price_amount__lte",
            "price_currency",
            "price_per",
            "postcode",
            "country",
            "status",
            "landlord_id",
            Filter(
                params={"available_from": Day, "available_to": Day},
                clause=_free,
                description="Free on every night from available_from up to available_to",
            ),
        ],
        sort=["-created_at", "price_amount", "bedrooms", "floor_area_sqm", "distance"],
        search=["title", "description", "city"],
        geo=Geo("latitude", "longitude"),
    ),
)
properties.action(
    "publication",
    publication.publish,
    method="PUT",
    access=LANDLORD,
    summary="Put on the market",
    problems=[publication.NotVerified],
)
properties.action(
    "publication", crud.unpublish, method="DELETE", status=204, access=LANDLORD, summary="Take off the market"
)
properties.view("availability", availability, returns=Availability, params=Window, summary="Busy ranges, half-open")
