"""Bookings of rooms and orders of things, in Freehold: the same paths, columns and slip as the stock service."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from freehold import (
    Access,
    Base,
    Conflict,
    Db,
    Freehold,
    Principal,
    Resource,
    Router,
    Schemas,
    Session,
    allow,
    anyone,
    job,
    never_below,
    no_overlap,
    owner,
    signed_in,
)
from freehold.errors import Unauthenticated


class Booking(Base):
    guest_id: Mapped[UUID] = mapped_column(index=True)
    room: Mapped[int]
    check_in: Mapped[date]
    check_out: Mapped[date]
    note: Mapped[str]


class Letter(Base):
    booking_id: Mapped[UUID] = mapped_column(index=True)


class Product(Base):
    units: Mapped[int]


class Order(Base):
    guest_id: Mapped[UUID] = mapped_column(index=True)
    product_id: Mapped[UUID]
    reference: Mapped[str]


class BookingDraft(BaseModel):
    room: int
    check_in: date
    check_out: date
    note: str


class OrderDraft(BaseModel):
    product_id: UUID
    reference: str


class Tokens:
    """A gateway has checked the token and put the guest's id in its place."""

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        if not authorization:
            return Principal()
        scheme, _, guest = authorization[0].partition(" ")
        if scheme != "Bearer":
            raise Unauthenticated(invalid_token=True)
        return Principal(id=UUID(guest))


@job("bookings.send_letter", lease=timedelta(seconds=5), system="a letter confirms whatever was booked")
async def send_letter(db: Session, *, booking_id: UUID) -> None:
    """Confirm a booking: the post office takes its time."""
    await asyncio.sleep(0.05)
    db.add(Letter(booking_id=booking_id))


async def book(db: Session, actor: Principal, draft: BookingDraft) -> Booking:
    booking = Booking(**draft.model_dump(), guest_id=actor.id)
    db.add(booking)
    await db.flush()
    await send_letter.enqueue(db, booking_id=booking.id)
    return booking


async def order(db: Session, actor: Principal, draft: OrderDraft) -> Order:
    async with db.unscoped("whoever orders takes a unit from the stock") as stock:
        product = await stock.get_one(Product, draft.product_id)
        if product.units < 1:
            raise Conflict("It is sold out.", code="orders.sold_out")
        product.units -= 1
    return Order(**draft.model_dump(), guest_id=actor.id)


mine = owner("guest_id")
bookings = Resource(
    Booking,
    schemas=Schemas(create=BookingDraft),
    create=book,
    access=Access(read=mine, create=signed_in),
    invariants=[no_overlap("room", during=("check_in", "check_out"))],
)
orders = Resource(Order, schemas=Schemas(create=OrderDraft), create=order, access=Access(read=mine, create=signed_in))
products = Resource(Product, access=Access(read=anyone, create=signed_in), invariants=[never_below("units")])

router = Router(prefix="/v1")


@router.get("/notes", dependencies=[allow(signed_in)])
async def notes(contains: str, db: Db) -> Sequence[str]:
    # The slip that this service is made to have, and its twin in stock code too: whose notes they are was forgotten.
    return (await db.scalars(select(Booking.note).where(Booking.note.contains(contains)))).all()


app = Freehold(bookings, orders, products, authenticator=Tokens(), routers=[router], jobs=[send_letter])
