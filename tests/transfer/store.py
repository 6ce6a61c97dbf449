"""A small service for the tests of imports, exports, bulk operations and batches: a store's items, orders and notes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import JSON, ForeignKey, MetaData, String
from sqlalchemy.orm import Mapped, mapped_column, relationship
from tests.web.shelf import ByName

from freehold import (
    Access,
    Conflict,
    Freehold,
    Principal,
    Queries,
    Resource,
    Session,
    anyone,
    at_most,
    nobody,
    owner,
    role,
    signed_in,
    where,
)
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.resource.columns import folded, search_document
from freehold.settings import Settings
from freehold.transfer import Record


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Item(Base):
    __tablename__ = "items"

    sku: Mapped[str] = mapped_column(String(20), unique=True)
    title: Mapped[str] = mapped_column(String(80))
    title_key: Mapped[str] = folded("title", index=True)
    pieces: Mapped[Annotated[int, Field(ge=0)] | None]
    weight: Mapped[float | None]
    is_sold: Mapped[bool] = mapped_column(default=False)
    tags: Mapped[list[Any]] = mapped_column(JSON, default=list)
    cost: Mapped[int] = mapped_column(default=0)
    is_hidden: Mapped[bool] = mapped_column(default=False)
    search: Mapped[str] = search_document("title")


class Order(Base):
    __tablename__ = "orders"

    buyer_id: Mapped[UUID] = mapped_column(index=True)
    label: Mapped[str] = mapped_column(String(40))
    is_paid: Mapped[bool] = mapped_column(default=False)
    lines: Mapped[list[OrderLine]] = relationship(back_populates="order")


class OrderLine(Base):
    __tablename__ = "order_lines"

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    order: Mapped[Order] = relationship(back_populates="lines")
    item_id: Mapped[UUID] = mapped_column(ForeignKey("items.id"), index=True)
    count: Mapped[Annotated[int, Field(ge=1)]]


class Payment(BaseModel):
    coins: int


async def pay(db: Session, actor: Principal, order: Order, body: Payment) -> None:
    """Pay an order, once."""
    if order.is_paid:
        raise Conflict("It is paid already.", code="orders.paid")
    order.is_paid = True


def item_of(record: Record) -> dict[str, Any] | None:
    """A line of the old catalogue."""
    if record["Name"] == "(gone)":
        return None
    if not record["Name"]:
        record.refuse("Name", "is missing")
    pieces = record.get("Pieces", "")
    if pieces and not pieces.isdigit():
        record.refuse("Pieces", "is no number")
    if record["No"] != record["No"].strip():
        record.note("No", "spaces around it were dropped")
    found = {"sku": record["No"].strip(), "title": record["Name"]}
    return found | ({"pieces": int(pieces)} if pieces.isdigit() else {})


def resources(**changes: Any) -> list[Resource]:
    mine = owner("buyer_id")
    items = Resource(
        Item,
        access=Access(
            read=where(lambda: Item.is_hidden.is_(False)) | role("staff"),
            write=role("staff"),
            read_fields={"cost": role("staff")},
            write_fields={"is_sold": nobody},
        ),
        queries=Queries(filters=["pieces__gte", "sku"], sort=["title", "-created_at"], search=["title"]),
        **changes,
    )
    items.imports(key=["sku"], access=role("staff"))
    items.exports(access=anyone)
    items.bulk(at_most=5)
    orders = Resource(Order, access=Access(read=mine | role("staff"), create=signed_in, update=mine, delete=mine))
    orders.bulk()
    orders.action("payment", pay, access=mine)
    lines = Resource(
        OrderLine,
        name="order-lines",
        access=Access(read=owner("order.buyer_id"), write=owner("order.buyer_id")),
        invariants=[at_most(3, per="order_id")],
    )
    orders.nested("entries", lines, by="order_id")
    return [items, orders, lines]


def make(url: str, folder: Path, **changes: Any) -> Freehold:
    settings = Settings(
        env="test", var_dir=folder, database_url=url, secret="x" * 40, limits="off", log_level="warning"
    )
    return Freehold(*resources(), title="Store", settings=settings, authenticator=ByName(), batch=True, **changes)
