"""A small service whose answers are kept: wares that people own, prices that staff sees, and endpoints of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import ForeignKey, MetaData, String, func, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import (
    Access,
    Caller,
    Db,
    Freehold,
    Principal,
    Queries,
    Resource,
    Router,
    Session,
    allow,
    anyone,
    owner,
    role,
    signed_in,
    where,
)
from freehold.errors import Conflict, NotFound
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings
from freehold.traffic import Cache, Limits, forget, per_minute
from tests.web.shelf import ByName


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Maker(Base):
    __tablename__ = "kiosk_makers"
    name: Mapped[str] = mapped_column(String(60))


class Ware(Base):
    __tablename__ = "kiosk_wares"
    owner_id: Mapped[UUID] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(60))
    is_public: Mapped[bool] = mapped_column(default=False)
    price: Mapped[int] = mapped_column(default=0, index=True)
    maker_id: Mapped[UUID | None] = mapped_column(ForeignKey("kiosk_makers.id", ondelete="SET NULL"), index=True)
    maker: Mapped[Maker | None] = relationship()


class Told(BaseModel):
    names: list[str]
    total: int = 0


class Kiosk:
    """What the functions of the service did, for the tests to look at."""

    made: list[str]
    gate: asyncio.Event | None
    fails: bool

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.made, self.gate, self.fails = [], None, False
        self.began = asyncio.Event()

    async def note(self, what: str) -> None:
        self.made.append(what)
        self.began.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.fails:
            raise Conflict("The loader fails.", code="kiosk.fails")


KIOSK = Kiosk()


async def dear(db: Session, actor: None) -> Told:
    """The dearest wares that one may see."""
    names = list(await db.scalars(select(Ware.name).order_by(Ware.price.desc(), Ware.name).limit(10)))
    await KIOSK.note("dear")
    return Told(names=names)


async def busy(db: Session, actor: None) -> Told:
    await KIOSK.note("busy")
    return Told(names=[], total=int(await db.scalar(select(func.count()).select_from(Ware)) or 0))


async def rates(db: Session, actor: Principal) -> Told:
    await KIOSK.note("rates")
    return Told(names=sorted(actor.roles))


async def mine(db: Session, actor: Principal) -> Told:
    await KIOSK.note("mine")
    return Told(names=[str(actor.id)])


async def brief(db: Session, actor: None) -> Told:
    await KIOSK.note("brief")
    return Told(names=[str(len(KIOSK.made))])


async def stock(db: Session, actor: None) -> Told:
    """Reads a table whose rule asks who the caller is, though its own does not: that is found when it is read."""
    await KIOSK.note("stock")
    names = list(await db.scalars(select(Ware.name).order_by(Ware.name)))
    if not names:
        raise NotFound
    return Told(names=names)


async def count(db: Session, actor: None) -> Told:
    await KIOSK.note("count")
    return Told(names=[], total=int(await db.scalar(select(func.count()).select_from(Maker)) or 0))


async def label(db: Session, actor: Principal, ware: Ware) -> Told:
    await KIOSK.note("label")
    return Told(names=[ware.name])


async def change_rates(db: Session, actor: Principal, ware: Ware) -> None:
    await forget(db, "rates")


async def raw(db: Session, actor: Principal, ware: Ware) -> None:
    """SQL as text, which nobody sees through."""
    async with db.unscoped("a test of SQL as text") as everything:
        await everything.execute(text("UPDATE kiosk_makers SET name = 'renamed'"))


router = Router(prefix="/v1/own")


@router.get("/wares", dependencies=[allow(anyone, cache=Cache(seconds=60, vary=["Accept-Language"]))])
async def own_wares(
    request: Request, db: Db, caller: Caller, accept_language: str = Header(""), x_forwarded_host: str = Header("")
) -> dict[str, Any]:
    await KIOSK.note("own")
    names = list(await db.scalars(select(Ware.name).order_by(Ware.name)))
    seen = {"host": request.headers.get("host"), "forwarded": x_forwarded_host, "url": request.url.path}
    return {"names": names, "language": accept_language, "caller": str(caller.id), **seen}


@router.get("/cookie", dependencies=[allow(anyone, cache=Cache(seconds=60))])
async def own_cookie(response: Response) -> str:
    await KIOSK.note("cookie")
    response.set_cookie("one", str(len(KIOSK.made)))
    return str(len(KIOSK.made))


@router.get("/refusal", dependencies=[allow(anyone, cache=Cache(seconds=60))])
async def own_refusal() -> Any:
    await KIOSK.note("refusal")
    return Response("no", 404)


@router.get("/shop", dependencies=[allow(signed_in, cache=Cache(seconds=60, client_seconds=20))])
async def own_shop(caller: Caller) -> list[str]:
    await KIOSK.note("shop")
    return sorted(caller.roles)


@router.get("/hours", dependencies=[allow(anyone, cache=Cache(seconds=60, client_seconds=20))])
async def own_hours() -> str:
    return "9 to 5"


def resources() -> list[Resource]:
    wares = Resource(
        Ware,
        access=Access(
            read=where(lambda: Ware.is_public) | owner("owner_id") | role("staff"),
            create=signed_in,
            update=owner("owner_id"),
            delete=owner("owner_id"),
            read_fields={"price": owner("owner_id") | role("staff")},
        ),
        queries=Queries(sort=["created_at"], filters=["name"], expand=["maker"]),
        cache=Cache(seconds=60),
        limits=Limits(operations={"dear": per_minute(10_000), "hours": per_minute(10_000)}),
    )
    wares.overview("dear", dear, returns=Told, access=anyone, cache=Cache(seconds=60))
    wares.overview("busy", busy, returns=Told, access=anyone, cache=Cache(seconds=60, ignores_writes=True))
    wares.overview("rates", rates, returns=Told, access=anyone, cache=Cache(seconds=60, tags=["rates"]))
    wares.overview("mine", mine, returns=Told, access=anyone, cache=Cache(seconds=60, per_caller=True))
    wares.overview("hours", busy, returns=Told, access=anyone, cache=Cache(seconds=60, client_seconds=20))
    wares.overview("brief", brief, returns=Told, access=anyone, cache=Cache(seconds=0.2, stale_seconds=60))
    wares.view("label", label, returns=Told, cache=Cache(seconds=60))
    wares.action("rates", change_rates, access=owner("owner_id"))
    wares.action("raw", raw, access=owner("owner_id"))
    makers = Resource(Maker, access=Access(read=signed_in, write=role("staff")))
    makers.overview("stock", stock, returns=Told, cache=Cache(seconds=60))
    makers.overview("count", count, returns=Told, cache=Cache(seconds=60))
    return [wares, makers]


def make(url: str, folder: Path, **changes: Any) -> Freehold:
    settings = Settings(
        env="test",
        var_dir=folder,
        database_url=url,
        secret="x" * 40,
        log_level="error",
        in_flight_limit=1_000,
        **changes,
    )
    return Freehold(*resources(), title="Kiosk", settings=settings, authenticator=ByName(), routers=[router])
