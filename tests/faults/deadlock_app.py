"""A service that moves money between purses and takes their rows in the order in which they are named: the wrong way to do it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import MetaData, update
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Db, Freehold, Resource, Router, allow, anyone
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Purse(Base):
    __tablename__ = "purses"
    name: Mapped[str]
    balance: Mapped[int] = mapped_column(default=0)
    moves: Mapped[int] = mapped_column(default=0)


router = Router(prefix="/v1/transfers")


@router.post("/{source}/{target}", dependencies=[allow(anyone)])
async def transfer(source: UUID, target: UUID, db: Db) -> str:
    for key, amount in ((source, -1), (target, 1)):
        changed = {"balance": Purse.balance + amount, "moves": Purse.moves + 1}
        await db.execute(update(Purse).where(Purse.id == key).values(**changed))
        await asyncio.sleep(0.005)
    return "done"


def app_of(url: str | None = None, folder: Path | None = None) -> Freehold:
    """Served by the settings of its environment; a test names the database."""
    given: dict[str, Any] = {}
    if url is not None:
        given["settings"] = Settings(env="test", database_url=url, var_dir=folder, secret="s" * 40, limits="off")
    purses = Resource(Purse, access=Access(read=anyone, update=anyone))
    return Freehold(purses, title="Purses", routers=[router], **given)


def __getattr__(name: str) -> Freehold:
    """`freehold serve` asks for `app`; whoever imports this module for its models needs no settings."""
    if name != "app":
        raise AttributeError(name)
    return app_of()
