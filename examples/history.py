"""Soft deletion and history in a plain FastAPI application: tickets that come back, and what became of each.

The endpoints are the application's own, as they were before. `install` adds `/v1/tickets/{id}/history`, the restoration
and the list of what was deleted; `db.delete(ticket)` marks the row instead of removing it.

uvicorn --factory examples.history:main
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import NAMESPACE_URL, uuid5

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import DateTime, String, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.requests import HTTPConnection

from freehold import Access, Principal, Resource, install, where
from freehold.web import Resources


class Base(DeclarativeBase):
    pass


class Ticket(Base):
    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    agent: Mapped[str]
    title: Mapped[str]
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class TicketIn(BaseModel):
    title: str


async def get_session() -> AsyncIterator[AsyncSession]:
    raise NotImplementedError("make_app puts the real one in its place")
    yield


Db = Annotated[AsyncSession, Depends(get_session)]
Agent = Annotated[str, Header(alias="x-agent")]


async def found(db: AsyncSession, ticket_id: int) -> Ticket:
    ticket = await db.get(Ticket, ticket_id)
    if ticket is None:
        raise HTTPException(404)
    return ticket


def add_routes(app: FastAPI) -> None:
    @app.post("/tickets", status_code=201)
    async def open_ticket(db: Db, agent: Agent, ticket: TicketIn) -> dict[str, Any]:
        row = Ticket(agent=agent, title=ticket.title)
        db.add(row)
        await db.commit()
        return {"id": row.id, "title": row.title}

    @app.get("/tickets")
    async def list_tickets(db: Db) -> list[str]:
        return list(await db.scalars(select(Ticket.title).order_by(Ticket.id)))

    @app.put("/tickets/{ticket_id}")
    async def rename(db: Db, ticket_id: int, ticket: TicketIn) -> dict[str, Any]:
        row = await found(db, ticket_id)
        row.title = ticket.title
        await db.commit()
        return {"id": ticket_id, "title": ticket.title}

    @app.delete("/tickets/{ticket_id}", status_code=204)
    async def remove(db: Db, ticket_id: int) -> None:
        await db.delete(await found(db, ticket_id))
        await db.commit()


async def who(request: HTTPConnection) -> Principal:
    name = request.headers.get("x-agent")
    return Principal() if name is None else Principal(id=uuid5(NAMESPACE_URL, name), claims={"name": name})


def declared() -> Resource:
    own = where(lambda caller: Ticket.agent == caller.claim("name", String()))
    tickets = Resource(
        Ticket,
        access=Access(read=own, create=own, update=own, delete=own),
        soft_delete="deleted_at",
        purge_after=timedelta(days=30),
    )
    tickets.restoration(access=own)
    tickets.history(access=own)
    return tickets


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
    # freehold: ignore[secret-default] an example, started by hand on one's own machine
    secret = os.environ.get("SECRET", "an example's secret, of 32 characters or more")
    install(app, engine, session=get_session, principal=who, resources=Resources(declared=[declared()], secret=secret))
    return app


def main() -> FastAPI:
    return make_app(create_async_engine("sqlite+aiosqlite:///tickets.db"))
