"""Rows that a flush writes are judged, whatever table of the mapper holds them, and a refusal is told (Z02, Z09)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import ForeignKey, MetaData, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Base, Conflict, Forbidden, Principal, anyone, owner, signed_in, system
from freehold.resource.base import NAMING, new_id
from freehold.store.database import Database
from freehold.store.protection import Grant

pytestmark = pytest.mark.anyio


class JudgedBase(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Paper(JudgedBase):
    __tablename__ = "judged_papers"
    owner_id: Mapped[UUID]
    text: Mapped[str]
    kind: Mapped[str] = mapped_column(default="paper")
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "paper"}  # noqa: RUF012 (SQLAlchemy's form)


class Contract(Paper):
    """Its own table beside the protected one."""

    __tablename__ = "judged_contracts"
    id: Mapped[UUID] = mapped_column(ForeignKey("judged_papers.id"), primary_key=True)
    party: Mapped[str]
    __mapper_args__ = {"polymorphic_identity": "contract"}  # noqa: RUF012 (SQLAlchemy's form)


ANN, BEN = Principal(id=new_id()), Principal(id=new_id())


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = Database.open(database_url)
    found.registry.protect(Paper, Access(read=anyone, write=owner("owner_id")))
    await found.start()
    async with found.writing(system("the tables of this module")) as unit:
        await (await unit.session.connection()).run_sync(JudgedBase.metadata.create_all)
    yield found
    await found.close()


async def kept(database: Database, paper: Paper) -> UUID:
    async with database.writing(ANN) as unit:
        unit.session.add(paper)
        await unit.session.flush()
        return paper.id


async def test_Z02_a_row_of_an_inherited_table_is_judged_by_the_rule_of_its_parents_table(database: Database) -> None:
    with pytest.raises(Forbidden):
        async with database.writing(BEN) as unit:
            unit.session.add(Contract(owner_id=ANN.id, text="forged", party="x"))
    async with database.reading(system("look")) as session:
        assert (await session.scalars(select(Paper))).all() == []


async def test_Z02_a_row_of_an_inherited_table_cannot_be_given_away(database: Database) -> None:
    key = await kept(database, Contract(owner_id=ANN.id, text="mine", party="x"))
    with pytest.raises(Forbidden):
        async with database.writing(ANN) as unit:
            (await unit.session.scalars(select(Contract).where(Contract.id == key))).one().owner_id = BEN.id
    async with database.writing(ANN) as unit:
        (await unit.session.scalars(select(Contract).where(Contract.id == key))).one().party = "y"


async def test_Z02_a_deletion_that_the_rule_forbids_is_refused_and_not_passed_over(database: Database) -> None:
    """The narrowed DELETE matches no row; without a refusal the caller is told that the row is gone."""
    key = await kept(database, Paper(owner_id=ANN.id, text="mine"))
    with pytest.raises(Forbidden):
        async with database.writing(BEN) as unit:
            await unit.session.delete((await unit.session.scalars(select(Paper).where(Paper.id == key))).one())
    async with database.writing(ANN) as unit:
        await unit.session.delete((await unit.session.scalars(select(Paper).where(Paper.id == key))).one())
    async with database.reading(system("look")) as session:
        assert (await session.scalars(select(Paper))).all() == []


async def test_Z02_two_grants_of_one_name_do_not_share_a_rule(database: Database) -> None:
    """Soft deletion grants under the name `delete`, and so may an action."""
    key = await kept(database, Paper(owner_id=ANN.id, text="mine"))
    wide = Grant("judged_papers", "update", "delete", signed_in)
    narrow = Grant("judged_papers", "update", "delete", owner("owner_id"))
    async with database.writing(BEN, grant=wide) as unit:
        (await unit.session.scalars(select(Paper).where(Paper.id == key))).one().text = "allowed"
    with pytest.raises(Forbidden):
        async with database.writing(BEN, grant=narrow) as unit:
            (await unit.session.scalars(select(Paper).where(Paper.id == key))).one().text = "not allowed"


async def test_Z02_a_change_that_the_rule_forbids_is_refused_as_such(database: Database) -> None:
    key = await kept(database, Paper(owner_id=ANN.id, text="mine"))
    with pytest.raises(Forbidden):
        async with database.writing(BEN) as unit:
            (await unit.session.scalars(select(Paper).where(Paper.id == key))).one().text = "not mine"


async def test_Z02_a_row_that_went_away_between_read_and_write_is_a_conflict(database: Database) -> None:
    key = await kept(database, Paper(owner_id=ANN.id, text="mine"))
    with pytest.raises(Conflict):
        async with database.writing(ANN) as unit:
            paper = (await unit.session.scalars(select(Paper).where(Paper.id == key))).one()
            async with unit.session.unscoped("somebody was faster") as other:
                await other.execute(delete(Paper).where(Paper.id == key))
            paper.text = "too late"
