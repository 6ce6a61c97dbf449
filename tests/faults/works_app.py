"""A service whose requests leave work behind: served and worked for by test_jobs_broker, in processes of their own."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import Column, Integer, MetaData, Table, Text, insert
from sqlalchemy.orm import Mapped

from freehold import Access, Freehold, Resource, Session, anyone, job
from freehold import Base as FreeholdBase
from freehold.resource.base import NAMING
from freehold.resource.principal import Principal


class Base(FreeholdBase):
    """With tables of its own: the tests that import it serve other services as well."""

    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Order(Base):
    __tablename__ = "works_orders"
    text: Mapped[str]


EFFECTS = Table(
    "works_effects", Base.metadata, Column("id", Integer, primary_key=True), Column("note", Text, nullable=False)
)


@job("works.pack", lease=timedelta(seconds=2), system="pack")
async def pack(db: Session, *, text: str) -> None:
    """An effect with a pause before and after it: a kill may fall anywhere."""
    await asyncio.sleep(0.005)
    await db.execute(insert(EFFECTS).values(note=text))
    await asyncio.sleep(0.005)


@job("works.rest", outside=True, system="rest")
async def rest(db: Session, *, seconds: float) -> None:
    """Longer than anybody waits."""
    await asyncio.sleep(seconds)


async def create(db: Session, actor: Principal, draft: Order) -> Order:
    """Texts are `<order>-<number>`: what has one order is packed in its turn. `rest` keeps a worker busy."""
    order = Order(text=draft.text)
    db.add(order)
    if draft.text == "rest":
        await rest.enqueue(db, seconds=600)
    else:
        await pack.enqueue(db, text=draft.text, order=draft.text.partition("-")[0])
    return order


app = Freehold(
    Resource(Order, name="orders", create=create, access=Access(read=anyone, create=anyone)),
    jobs=[pack, rest],
    title="Works",
)
