"""A service with a column of every kind, for input of every kind."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import JSON, BigInteger, Numeric, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Freehold, Queries, Resource, Session, anyone, owner, signed_in
from freehold.resource.base import Base as FreeholdBase
from freehold.resource.columns import folded, search_document
from freehold.settings import Settings


class Base(FreeholdBase):
    __abstract__ = True
    metadata = FreeholdBase.metadata.__class__(naming_convention=FreeholdBase.metadata.naming_convention)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Specimen(Base):
    __tablename__ = "fuzz_specimens"
    owner_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = folded("name", index=True)
    story: Mapped[str | None] = mapped_column(Text)
    story_document: Mapped[str] = search_document("name", "story")
    amount: Mapped[int] = mapped_column(default=0, index=True)
    total: Mapped[int | None] = mapped_column(BigInteger)
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    weight: Mapped[float | None]
    is_rare: Mapped[bool] = mapped_column(default=False)
    colour: Mapped[Colour] = mapped_column(default=Colour.RED)
    found_on: Mapped[date | None]
    seen_at: Mapped[datetime | None]
    notes: Mapped[Any | None] = mapped_column(JSON)


class Reason(BaseModel):
    reason: str


async def mark(db: Session, actor: Any, row: Specimen, body: Reason) -> Specimen:
    """Mark a specimen."""
    row.story = body.reason
    return row


def build(var_dir: Path, *, url: str | None = None) -> Freehold:
    """The service, with accounts."""
    specimens = Resource(
        Specimen,
        name="specimens",
        access=Access(read=anyone, create=signed_in, update=owner("owner_id"), delete=owner("owner_id")),
        queries=Queries(
            filters=[
                "name", "name__contains", "name__in", "amount__gte", "total", "price__lte", "weight__gt", "is_rare",
                "colour", "found_on", "seen_at__lt", "story__isnull",
            ],
            sort=["created_at", "name", "amount"],
            search=["name", "story"],
            facets=["colour"],
        ),
    ).action("mark", mark, access=owner("owner_id"))  # fmt: skip
    secret = "not a secret, only long enough to be taken for one"
    given: dict[str, Any] = {"env": "test", "var_dir": var_dir, "secret": secret, "limits": "off", "log_level": "error"}
    return Freehold(specimens, title="Specimens", settings=Settings(**given, **({"database_url": url} if url else {})))
