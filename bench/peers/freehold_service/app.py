"""Freehold's side: a declaration, with every guard on. `ROUTES=300` adds that many operations in front."""

from __future__ import annotations

import os
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from freehold import (
    Access,
    Base,
    Freehold,
    Identity,
    Queries,
    Resource,
    Router,
    UserMixin,
    allow,
    anyone,
    owner,
    signed_in,
)
from freehold.fields import search_document
from freehold.traffic import Limits, per_minute


class User(UserMixin, Base):
    pass


class Property(Base):
    __table_args__ = (Index("ix_properties_city_newest", "city", "created_at", "id"),)

    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    city: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(20))
    bedrooms: Mapped[int]
    bathrooms: Mapped[int]
    area_m2: Mapped[int]
    price_amount: Mapped[int]
    price_currency: Mapped[str] = mapped_column(String(3))
    latitude: Mapped[float]
    longitude: Mapped[float]
    built_in: Mapped[int]
    owner_id: Mapped[UUID] = mapped_column(index=True)
    search: Mapped[str] = search_document("title")


class Note(Base):
    __table_args__ = (Index("ix_notes_owner_newest", "owner_id", "created_at", "id"),)

    text: Mapped[str] = mapped_column(String(500))
    owner_id: Mapped[UUID]


properties = Resource(
    Property,
    owner="owner_id",
    access=Access(read=anyone, create=signed_in, update=signed_in),
    queries=Queries(filters=["city", "kind", "bedrooms__gte"], sort=["-created_at"], search=["title"]),
)
notes = Resource(Note, access=Access(read=owner("owner_id")), queries=Queries(sort=["-created_at"]))

router = Router(prefix="/v1")


@router.get("/status", dependencies=[allow(anyone)])
async def status() -> dict[str, str]:
    return {"status": "ok"}


def _further(number: int) -> Router:
    found = Router(prefix="/v1")
    for each in range(number):
        found.get(f"/further-{each}/{{name}}", dependencies=[allow(anyone)])(status)
    return found


# Every request is counted; nobody gets there in a minute.
MANY = per_minute(100_000_000)
app = Freehold(
    properties,
    notes,
    identity=Identity(user=User, access_token_lifetime=timedelta(hours=12)),
    limits=Limits(read=MANY, write=MANY),
    routers=[_further(int(os.environ.get("ROUTES", "0"))), router],
)
