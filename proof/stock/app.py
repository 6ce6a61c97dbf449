"""Bookings of rooms and orders of things, in FastAPI and SQLAlchemy as their documentation shows.

A session by a dependency with yield, a commit and a refresh in the handler before it returns, BackgroundTasks for what the client need
not wait for. Every handler looks before it writes, and every one but the last asks for the caller's own rows.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["FREEHOLD_DATABASE_URL"])
SessionMaker = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Booking(Base):
    __tablename__ = "bookings"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    guest_id: Mapped[UUID] = mapped_column(index=True)
    room: Mapped[int] = mapped_column(index=True)
    check_in: Mapped[date]
    check_out: Mapped[date]
    note: Mapped[str]


class Letter(Base):
    __tablename__ = "letters"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    booking_id: Mapped[UUID] = mapped_column(index=True)


class Product(Base):
    __tablename__ = "products"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    units: Mapped[int]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    guest_id: Mapped[UUID] = mapped_column(index=True)
    product_id: Mapped[UUID]
    reference: Mapped[str]


class BookingDraft(BaseModel):
    room: int
    check_in: date
    check_out: date
    note: str


class BookingRead(BookingDraft):
    model_config = ConfigDict(from_attributes=True)
    id: UUID


class OrderDraft(BaseModel):
    product_id: UUID
    reference: str


class OrderRead(OrderDraft):
    model_config = ConfigDict(from_attributes=True)
    id: UUID


class ProductDraft(BaseModel):
    units: int


class ProductRead(ProductDraft):
    model_config = ConfigDict(from_attributes=True)
    id: UUID


async def get_session() -> AsyncIterator[AsyncSession]:
    async with SessionMaker() as session:
        yield session


async def get_guest(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> UUID:
    """A gateway has checked the token and put the guest's id in its place."""
    return UUID(credentials.credentials)


Session = Annotated[AsyncSession, Depends(get_session)]
Guest = Annotated[UUID, Depends(get_guest)]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


@app.get("/health/ready")
async def ready() -> None:
    """The tables are there, so it is."""


async def send_letter(booking_id: UUID) -> None:
    """Confirm a booking: the post office takes its time."""
    await asyncio.sleep(0.05)
    async with SessionMaker() as session:
        session.add(Letter(booking_id=booking_id))
        await session.commit()


@app.post("/v1/bookings", status_code=201, response_model=BookingRead)
async def book(draft: BookingDraft, session: Session, guest: Guest, background: BackgroundTasks) -> Booking:
    taken = select(Booking.id).where(
        Booking.room == draft.room, Booking.check_in < draft.check_out, Booking.check_out > draft.check_in
    )
    if (await session.scalars(taken)).first() is not None:
        raise HTTPException(409, "The room is taken.")
    booking = Booking(**draft.model_dump(), guest_id=guest)
    session.add(booking)
    await session.commit()
    await session.refresh(booking)
    background.add_task(send_letter, booking.id)
    return booking


@app.post("/v1/orders", status_code=201, response_model=OrderRead)
async def order(draft: OrderDraft, session: Session, guest: Guest) -> Order:
    product = await session.get_one(Product, draft.product_id)
    if product.units < 1:
        raise HTTPException(409, "It is sold out.")
    product.units -= 1
    made = Order(**draft.model_dump(), guest_id=guest)
    session.add(made)
    await session.commit()
    await session.refresh(made)
    return made


@app.post("/v1/products", status_code=201, response_model=ProductRead)
async def sell(draft: ProductDraft, session: Session, guest: Guest) -> Product:
    product = Product(units=draft.units)
    session.add(product)
    await session.commit()
    await session.refresh(product)
    return product


@app.get("/v1/bookings", response_model=list[BookingRead])
async def bookings(session: Session, guest: Guest) -> Sequence[Booking]:
    return (await session.scalars(select(Booking).where(Booking.guest_id == guest).limit(100))).all()


@app.get("/v1/bookings/{booking_id}", response_model=BookingRead)
async def one_booking(booking_id: UUID, session: Session, guest: Guest) -> Booking:
    booking = await session.get(Booking, booking_id)
    if booking is None or booking.guest_id != guest:
        raise HTTPException(404)
    return booking


@app.get("/v1/notes", response_model=list[str])
async def notes(contains: str, session: Session, guest: Guest) -> Sequence[str]:
    # The slip that this service is made to have, and its twin in Freehold too: whose notes they are was forgotten.
    return (await session.scalars(select(Booking.note).where(Booking.note.contains(contains)))).all()
