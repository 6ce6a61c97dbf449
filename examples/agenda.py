"""Calendars in a plain FastAPI application: a meeting room's bookings go out as iCalendar, and another calendar comes in.

Coming in twice changes nothing; what is gone from the other calendar is gone here.

uvicorn --factory examples.agenda:main
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import install
from freehold.calendar import Calendar, CalendarRefused, Event, KnownEvent, Range, plan_import, read_calendar
from freehold.web import EdgeOptions, document_response

LARGEST = 500_000


class Base(DeclarativeBase):
    pass


class Booking(Base):
    __tablename__ = "bookings"

    id: Mapped[int] = mapped_column(primary_key=True)
    room: Mapped[str] = mapped_column(index=True)
    uid: Mapped[str]
    first: Mapped[date]
    behind: Mapped[date]
    changed_on: Mapped[date]
    fingerprint: Mapped[str] = mapped_column(default="")


async def get_session() -> AsyncIterator[AsyncSession]:
    raise NotImplementedError("make_app puts the real one in its place")
    yield


Db = Annotated[AsyncSession, Depends(get_session)]


def shown(booking: Booking) -> Event:
    stamp = datetime.combine(booking.changed_on, datetime.min.time(), UTC)
    during = Range(booking.first, booking.behind)
    return Event(uid=f"{booking.id}@rooms.example", during=during, summary="Booked", stamp=stamp)


def days_of(event: Event) -> tuple[date, date]:
    """The days that it touches, and the one behind: of a meeting of two hours, one day."""
    start, end = event.during.start, event.during.end
    if isinstance(start, datetime) and isinstance(end, datetime):
        return start.date(), (end - timedelta(microseconds=1)).date() + timedelta(days=1)
    return start, end


def add_routes(app: FastAPI) -> None:
    @app.get("/rooms/{room}/calendar.ics", response_class=Response)
    async def calendar(request: Request, db: Db, room: str) -> Response:
        found = await db.scalars(select(Booking).where(Booking.room == room).order_by(Booking.first, Booking.id))
        return document_response(request, Calendar([shown(each) for each in found], name=room, product="Rooms"))

    @app.put("/rooms/{room}/calendar.ics")
    async def import_calendar(request: Request, db: Db, room: str) -> dict[str, int]:
        try:
            feed = await asyncio.to_thread(read_calendar, await request.body())
        except CalendarRefused as refused:
            raise HTTPException(422, str(refused)) from None
        stored = await db.scalars(select(Booking).where(Booking.room == room))
        known = {each.id: each for each in stored}
        plan = plan_import((KnownEvent(n, each.uid, each.fingerprint) for n, each in known.items()), feed.events)
        for event in plan.inserts:
            db.add(filled(Booking(room=room, uid=event.uid), event))
        for key, event in plan.updates:
            filled(known[key], event)
        await db.execute(delete(Booking).where(Booking.id.in_(plan.deletes)))
        await db.commit()
        return {"added": len(plan.inserts), "changed": len(plan.updates), "removed": len(plan.deletes)}


def filled(booking: Booking, event: Event) -> Booking:
    booking.first, booking.behind = days_of(event)
    booking.changed_on, booking.fingerprint = datetime.now(UTC).date(), event.fingerprint
    return booking


def make_app(engine: AsyncEngine) -> FastAPI:
    maker = async_sessionmaker(engine, expire_on_commit=False)

    async def session() -> AsyncIterator[AsyncSession]:
        async with maker() as db:
            yield db

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield

    app = FastAPI(lifespan=lifespan)
    add_routes(app)
    app.dependency_overrides[get_session] = session
    install(app, engine, session=get_session, edge=EdgeOptions(hosts=("*",), body_limit_bytes=LARGEST))
    return app


def main() -> FastAPI:
    return make_app(create_async_engine("sqlite+aiosqlite:///rooms.db"))
