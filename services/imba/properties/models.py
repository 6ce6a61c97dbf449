"""The table of listings."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Base
from freehold.fields import folded, one_of, search_document

from .amenities import amenity_keys

Kind: TypeAlias = Literal["house", "apartment", "room", "office", "land"]
PricePer: TypeAlias = Literal["sale", "month", "night"]
Status: TypeAlias = Literal["draft", "listed", "unlisted", "archived"]


class Property(Base):
    """A property that a landlord offers. Everyone sees it while it is `listed`.

    agent_id: who manages it, too, by a mandate.
    """

    # None begins with the status: nearly every row is listed, and SQLite would read them all by such an index.
    __table_args__ = (
        Index("ix_properties_newest", "created_at", "id"),
        Index("ix_properties_kind_newest", "kind", "created_at", "id"),
        Index("ix_properties_place", "latitude", "longitude", "price_amount"),
    )

    landlord_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    status: Mapped[Status] = mapped_column(one_of(Status), default="draft")
    title: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    kind: Mapped[Kind] = mapped_column(one_of(Kind))
    city: Mapped[str] = mapped_column(String(100), index=True)
    region: Mapped[str] = mapped_column(String(100), default="")
    postcode: Mapped[str] = mapped_column(String(20), default="", index=True)
    country: Mapped[str] = mapped_column(String(2))
    street: Mapped[str] = mapped_column(String(200), default="")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    bedrooms: Mapped[int] = mapped_column(default=0, index=True)
    bathrooms: Mapped[float] = mapped_column(default=0.0)
    floor_area_sqm: Mapped[float | None] = mapped_column(index=True)
    year_built: Mapped[int | None]
    price_amount: Mapped[int] = mapped_column(BigInteger, index=True)
    price_currency: Mapped[str] = mapped_column(String(3))
    price_per: Mapped[PricePer] = mapped_column(one_of(PricePer))
    amenities: Mapped[list[str]] = mapped_column(JSON, default=list)
    booking_terms: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    visiting_hours: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    rating_count: Mapped[int] = mapped_column(default=0, server_default="0")
    rating_sum: Mapped[int] = mapped_column(default=0, server_default="0")
    rating_average: Mapped[float] = mapped_column(default=0.0, server_default="0", index=True)
    listed_at: Mapped[datetime | None] = mapped_column(index=True)
    cover_id: Mapped[UUID | None]
    deleted_at: Mapped[datetime | None]
    amenity_keys: Mapped[str] = amenity_keys("amenities")
    city_key: Mapped[str] = folded("city", index=True)
    search: Mapped[str] = search_document("title", "city", "description")
