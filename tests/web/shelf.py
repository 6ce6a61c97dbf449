"""A small service for the tests of the protocol: shelves that people own, with things on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from pydantic import BaseModel
from sqlalchemy import ForeignKey, MetaData, String, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import (
    Access,
    Caller,
    Conflict,
    Db,
    Freehold,
    Principal,
    Queries,
    Resource,
    Router,
    Session,
    allow,
    audit,
    nobody,
    owner,
    role,
    signed_in,
    where,
)
from freehold.errors import Unauthenticated
from freehold.resource.base import NAMING, new_id
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings

ADA, BOB, STAFF = new_id(), new_id(), new_id()


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Shelf(Base):
    __tablename__ = "shelves"
    owner_id: Mapped[UUID] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(60))
    note: Mapped[str | None] = mapped_column(String(200))
    is_public: Mapped[bool] = mapped_column(default=False)
    price: Mapped[int] = mapped_column(default=0)
    locked: Mapped[bool] = mapped_column(default=False)
    things: Mapped[list[Thing]] = relationship(back_populates="shelf")


class Thing(Base):
    __tablename__ = "things"
    shelf_id: Mapped[UUID] = mapped_column(ForeignKey("shelves.id"), index=True)
    shelf: Mapped[Shelf] = relationship(back_populates="things")
    title: Mapped[str] = mapped_column(String(60))


class Reason(BaseModel):
    reason: str


async def lock(db: Session, actor: Principal, shelf: Shelf, body: Reason) -> None:
    """Lock a shelf."""
    if shelf.locked:
        raise Conflict("It is locked already.", code="shelf.locked")
    shelf.locked = True


async def slow_lock(db: Session, actor: Principal, shelf: Shelf) -> None:
    """Take a while, then lock."""
    await asyncio.sleep(0.3)
    await lock(db, actor, shelf, Reason(reason="slow"))


async def fail(db: Session, actor: Principal, shelf: Shelf) -> None:
    """Change the row, then fail."""
    shelf.name = "half done"
    await db.flush()
    raise RuntimeError("it broke on the way")


class Size(BaseModel):
    things: int


async def size(db: Session, actor: Principal, shelf: Shelf) -> Size:
    found = await db.scalars(select(Thing).where(Thing.shelf_id == shelf.id))
    return Size(things=len(found.all()))


router = Router(prefix="/v1/own", tags=["own"])


class Draft(BaseModel):
    name: str
    answer: int = 201


@router.post("/shelves", status_code=201, dependencies=[allow(signed_in)])
async def own_create(db: Db, caller: Caller, draft: Draft) -> Any:
    from fastapi.responses import JSONResponse

    shelf = Shelf(owner_id=caller.id, name=draft.name)
    db.add(shelf)
    await db.flush()
    await audit(db, "shelf.own", subject_type="shelf", subject_id=shelf.id)
    if draft.answer == 500:
        raise RuntimeError("secret detail")
    return JSONResponse({"id": str(shelf.id)}, status_code=draft.answer)


@router.get("/shelves/{shelf_id}", dependencies=[allow(signed_in)])
async def own_read(db: Db, shelf_id: UUID) -> str:
    shelf = (await db.execute(select(Shelf).where(Shelf.id == shelf_id))).scalar_one()
    return shelf.name


@router.get("/names", dependencies=[allow(role("staff"))])
async def own_names(db: Db) -> list[str]:
    return list(await db.scalars(select(Shelf.name).order_by(Shelf.name)))


class ByName:
    """`Bearer ada` is Ada; roles and scopes behind colons: `Bearer bob:staff:things.read`."""

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        if not authorization:
            return Principal()
        name, *more = authorization[0].removeprefix("Bearer ").split(":")
        known = {"ada": ADA, "bob": BOB, "staff": STAFF}
        if name not in known:
            raise Unauthenticated(invalid_token=True)
        roles = frozenset({"staff"}) if name == "staff" else frozenset()
        return Principal(id=known[name], roles=roles, scopes=frozenset(more) if more else None)

    async def find(self, principal_id: UUID) -> Principal:
        return Principal(id=principal_id, roles=frozenset({"staff"} if principal_id == STAFF else ()))


def resources(**changes: Any) -> list[Resource]:
    mine = owner("owner_id")
    shelves = Resource(
        Shelf,
        access=Access(
            read=mine | where(lambda: Shelf.is_public) | role("staff"),
            create=signed_in,
            update=mine,
            delete=mine,
            read_fields={"note": mine | role("staff")},
            write_fields={"price": role("staff"), "locked": nobody},
        ),
        queries=Queries(filters=["name", "is_public", "note"], sort=["created_at"], expand=["things"]),
        **changes,
    )
    shelves.action("lock", lock, access=mine)
    shelves.action("slow-lock", slow_lock, access=mine)
    shelves.action("failure", fail, access=mine)
    shelves.view("size", size, returns=Size)
    things = Resource(
        Thing,
        access=Access(read=owner("shelf.owner_id") | role("staff"), write=owner("shelf.owner_id")),
        queries=Queries(expand=["shelf"]),
        require_if_match=True,
    )
    shelves.nested("things", things, by="shelf_id")
    return [shelves, things]


def make(url: str, folder: Path, **changes: Any) -> Freehold:
    settings = Settings(
        env="test", var_dir=folder, database_url=url, secret="x" * 40, limits="off", log_level="warning"
    )
    return Freehold(*resources(**changes), title="Shelves", settings=settings, authenticator=ByName(), routers=[router])


@asynccontextmanager
async def served(app: Freehold) -> AsyncIterator[httpx2.AsyncClient]:
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client


def as_(name: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}", **{key.replace("_", "-"): value for key, value in headers.items()}}
