"""The tables, on advanced-alchemy's base."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from advanced_alchemy.base import AdvancedDeclarativeBase, CommonTableAttributes
from sqlalchemy import JSON, DateTime, String, Text
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import Mapped, mapped_column


def now() -> datetime:
    return datetime.now(UTC)


class Row(CommonTableAttributes, AdvancedDeclarativeBase, AsyncAttrs):
    __abstract__ = True
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)


class User(Row):
    __tablename__ = "users"
    email: Mapped[str] = mapped_column(String(320))
    full_name: Mapped[str] = mapped_column(String(200))
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    is_active: Mapped[bool] = mapped_column(default=True)
    email_verified_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Property(Row):
    __tablename__ = "properties"
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
    owner_id: Mapped[UUID]
    row_version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": row_version}


class Note(Row):
    __tablename__ = "notes"
    text: Mapped[str] = mapped_column(String(500))
    owner_id: Mapped[UUID]
