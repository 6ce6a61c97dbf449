"""Listings, as clients reach them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement

from freehold import Access, Filter, Invalid, Principal, Queries, Resource, Schemas, Session, owner, role, where
from freehold.calendar import Calendar
from freehold.errors import FieldError
from freehold.fields import Day
from freehold.resource import Geo, Ranges
from freehold.traffic import Cache, Limits

from ..access import STAFF
from ..blocks import crud as blocks
from ..blocks.routes import blocks as owner_blocks
from ..calendars import feed
from ..calendars.routes import calendars
from ..calendars.schemas import FeedAddress
from ..pricing import crud as pricing
from ..pricing.schemas import BookingTerms, Quote, Wanted
from ..reviews.routes import reviews
from ..views import crud as views
from ..visits import crud as visits
from ..visits.schemas import Look, Slots, VisitingHours
from . import crud, lifecycle, publication
from .amenities import amenity_filter
from .lifecycle import Lifecycle
from .models import Property
from .schemas import Availability, BusyRange, PropertyDraft, PropertyRead, Window

# Round steps, three to a tenfold, from 25 to 5 million of a currency with cents.
PRICE_EDGES = [step * 10**power for power in range(2, 8) for step in (25, 50, 100)]
LANDLORD = owner("landlord_id")
MANAGER = LANDLORD | owner("agent_id")
IS_LISTED = where(Property.status == "listed")


def _free(given: Mapping[str, Any]) -> ColumnElement[bool]:
    since, until = given["available_from"], given["available_to"]
    if since is None or until is None or until <= since:
        wrong = FieldError("window", "give both days, available_to after available_from", parameter="available_to")
        raise Invalid("available_from and available_to go together.", errors=[wrong])
    return ~blocks.is_taken(Property.id, since, until)


async def availability(db: Session, actor: Principal, listing: Property, window: Window) -> Availability:
    """When the property is taken, without telling by whom."""
    since, until = window.days()
    busy = [BusyRange(start=start, end=end) for start, end in await blocks.taken(db, listing.id, since, until)]
    return Availability(property_id=listing.id, start=since, end=until, busy=busy)


properties = Resource(
    Property,
    schemas=Schemas(read=PropertyRead, create=PropertyDraft),
    delete=crud.unpublish,
    soft_delete="deleted_at",
    purge_after=timedelta(days=90),
    access=Access(
        read=IS_LISTED | MANAGER | STAFF,
        create=role("landlord"),
        update=MANAGER | role("admin"),
        delete=LANDLORD | role("admin"),
        read_fields={"street": MANAGER | STAFF},
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
            "price_amount__lt",
            "price_amount__lte",
            "price_currency",
            "price_per",
            "postcode",
            "country",
            "status",
            "landlord_id",
            "agent_id",
            "rating_average__gte",
            amenity_filter(Property.amenity_keys),
            Filter(
                params={"available_from": Day, "available_to": Day},
                clause=_free,
                description="Free on every night from available_from up to available_to",
            ),
        ],
        sort=["-created_at", "price_amount", "bedrooms", "floor_area_sqm", "rating_average", "distance"],
        search=["title", "city", "description"],
        geo=Geo("latitude", "longitude"),
        facets=["city", "kind", "bedrooms", "price_per", Ranges("price_amount", PRICE_EDGES)],
    ),
    untracked=["rating_count", "rating_sum", "rating_average"],
    limits=Limits(costs={"list": 4}),
    cache=Cache(seconds=30),
)
properties.on_read(views.note)
properties.restoration(access=LANDLORD | role("admin"), summary="Bring a deleted listing back, unlisted")
properties.history(access=MANAGER | STAFF, actors=STAFF)
properties.action(
    "publication",
    publication.publish,
    method="PUT",
    access=MANAGER,
    summary="Put on the market",
    problems=[publication.NotVerified, lifecycle.Archived],
)
properties.action(
    "publication", crud.unpublish, method="DELETE", status=204, access=MANAGER, summary="Take off the market"
)
properties.view(
    "lifecycle", lifecycle.look, returns=Lifecycle, access=MANAGER | STAFF, summary="How far it is, and its checks"
)
properties.action("archive", lifecycle.archive, method="PUT", access=MANAGER, summary="Put it away, off the market")
properties.action(
    "archive", lifecycle.unarchive, method="DELETE", status=204, access=MANAGER, summary="Bring it back, unlisted"
)
properties.view("availability", availability, returns=Availability, params=Window, summary="Busy ranges, half-open")
properties.nested("blocks", owner_blocks, by="property_id")
properties.view("calendar.ics", feed.busy_calendar, returns=Calendar, summary="Busy ranges, as iCalendar")
properties.view(
    "calendar-feed",
    feed.address,
    returns=FeedAddress,
    access=MANAGER,
    summary="The secret address of its calendar, for other sites",
)
properties.action(
    "calendar-feed",
    feed.rotate,
    method="PUT",
    access=MANAGER,
    returns=FeedAddress,
    summary="Make the secret address, or a new one: the former shows nothing any more",
)
properties.action(
    "calendar-feed", feed.close, method="DELETE", status=204, access=MANAGER, summary="Give its calendar out no more"
)
properties.nested("calendars", calendars, by="property_id")
properties.nested("reviews", reviews, by="property_id", writable=False)
properties.view("quote", pricing.quote, returns=Quote, params=Wanted, summary="What a stay costs, line by line")
properties.view("booking-terms", pricing.get_terms, returns=BookingTerms, summary="How it is let by the night")
properties.action("booking-terms", pricing.put_terms, method="PUT", access=MANAGER, returns=BookingTerms)
properties.view("visit-slots", visits.slots, returns=Slots, params=Look, summary="Free times for a visit")
properties.view("visiting-hours", visits.get_hours, returns=VisitingHours, summary="When it may be visited")
properties.action("visiting-hours", visits.put_hours, method="PUT", access=MANAGER, returns=VisitingHours)
