"""Which tables a statement reads and writes is known of every form that it can have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import ForeignKey, MetaData, delete, exists, func, insert, select, text, union, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.orm import Mapped, aliased, mapped_column, relationship, selectinload

from freehold import Access, owner, system
from freehold.errors import OutcomeUnknown
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.resource.principal import Principal
from freehold.store.database import Database
from freehold.store.touched import EVERYTHING, Change, Watchers, tables_read

pytestmark = pytest.mark.anyio
WHO = system("a test of what is touched")
ME = UUID(int=1)


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Box(Base):
    __tablename__ = "touched_boxes"
    owner_id: Mapped[UUID]
    shelf: Mapped[str]
    items: Mapped[list[Item]] = relationship(back_populates="box", passive_deletes=True)


class Item(Base):
    __tablename__ = "touched_items"
    box_id: Mapped[UUID] = mapped_column(ForeignKey("touched_boxes.id", ondelete="CASCADE"))
    box: Mapped[Box] = relationship(back_populates="items")


class Mark(Base):
    __tablename__ = "touched_marks"
    item_id: Mapped[UUID | None] = mapped_column(ForeignKey("touched_items.id", ondelete="SET NULL"))


BOXES, ITEMS, MARKS = "touched_boxes", "touched_items", "touched_marks"


class Seen:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, frozenset[str]]] = []

    async def will_change(self, change: Change) -> None:
        self.changes.append(("before", frozenset(change.tables)))

    async def has_changed(self, change: Change) -> None:
        self.changes.append(("after", frozenset(change.tables)))

    async def has_been_replaced(self) -> None:
        self.changes.append(("replaced", frozenset()))


@pytest.fixture(scope="module")
async def module_database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    found = Database.open(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('touched')}/t.db")
    found.registry.protect(Item, Access(read=owner("box.owner_id"), write=owner("box.owner_id")))
    await found.start()
    async with found.writing(WHO) as unit:
        await (await unit.session.connection()).run_sync(Base.metadata.create_all)
    yield found
    await found.close()


@pytest.fixture
def database(module_database: Database) -> Database:
    module_database.parts[Watchers] = Watchers()
    return module_database


@pytest.fixture
def seen(database: Database) -> Seen:
    found = Seen()
    database.parts[Watchers].add(found)
    return found


b = aliased(Box)
READS: dict[str, tuple[Any, set[str]]] = {
    "entity": (select(Box), {BOXES}),
    "column": (select(Box.shelf), {BOXES}),
    "table": (select(func.count()).select_from(Box.__table__), {BOXES}),
    "alias": (select(b.id), {BOXES}),
    "join": (select(Mark.id).join(Item), {MARKS, ITEMS, BOXES}),
    "rule": (select(Item), {ITEMS, BOXES}),
    "exists": (select(Mark).where(exists().where(Box.shelf == "x")), {MARKS, BOXES}),
    "union": (union(select(Box.id), select(Mark.id)), {BOXES, MARKS}),
    "cte": (select(select(Box.id).cte("c")), {BOXES}),
    "scalar": (select(select(func.count(Mark.id)).scalar_subquery()), {MARKS}),
    "eager": (select(Box).where(Box.shelf == "empty").options(selectinload(Box.items)), {BOXES}),
    "text": (text("SELECT 1"), {EVERYTHING}),
    "fragment": (select(Mark.id).where(text("1 = 1")), {MARKS, EVERYTHING}),
}


@pytest.mark.parametrize("form", READS)
async def test_what_is_read(database: Database, form: str) -> None:
    statement, tables = READS[form]
    async with database.reading(Principal(id=ME)) as session:
        for _ in range(2):  # the second time from the cache of compiled statements
            with tables_read() as found:
                await session.execute(statement)
            assert found == tables


async def test_what_is_loaded_later_is_read_too(database: Database) -> None:
    async with database.writing(WHO) as unit:
        unit.session.add(Box(owner_id=ME, shelf="x", items=[Item()]))
    async with database.reading(Principal(id=ME)) as session:
        with tables_read() as found:
            await session.scalars(select(Box).options(selectinload(Box.items)))
        assert found == {BOXES, ITEMS}
        with tables_read() as found:
            await (await session.connection()).exec_driver_sql("SELECT 1")
        assert found == {EVERYTHING}


WRITES: dict[str, tuple[Any, set[str]]] = {
    "insert": (insert(Mark), {MARKS}),
    "many": (insert(Mark).values([{}, {}]), {MARKS}),
    "select": (insert(Mark).from_select(["item_id"], select(Item.id)), {MARKS}),
    "upsert": (upsert(Mark).values(id=ME).on_conflict_do_nothing(), {MARKS}),
    "update": (update(Mark).values(item_id=None), {MARKS}),
    "delete": (delete(Mark), {MARKS}),
    "cascade": (delete(Box), {BOXES, ITEMS, MARKS}),
    "text": (text("UPDATE touched_marks SET item_id = NULL"), {EVERYTHING}),
    "hidden": (text("WITH x AS (SELECT 1) DELETE FROM touched_marks"), {EVERYTHING}),
    "read": (select(Mark), set()),
    "plain": (text("SELECT 1"), set()),
}


@pytest.mark.parametrize("form", WRITES)
async def test_what_is_written_is_told_before_and_after_the_commit(database: Database, seen: Seen, form: str) -> None:
    statement, tables = WRITES[form]
    for _ in range(2):
        seen.changes.clear()
        async with database.writing(WHO) as unit:
            await unit.session.execute(statement)
            assert seen.changes == []
        assert seen.changes == ([("before", tables), ("after", tables)] if tables else [])


async def test_a_flush_and_another_session_of_the_unit_are_seen(database: Database, seen: Seen) -> None:
    async with database.writing(Principal(id=ME)) as unit:
        unit.session.add(Mark())
        async with unit.session.unscoped("a test") as other:
            other.add(Box(owner_id=ME, shelf="y"))
        await (await unit.session.connection()).exec_driver_sql("SELECT 1")
    assert {BOXES, MARKS} <= seen.changes[1][1]
    assert EVERYTHING not in seen.changes[1][1]
    seen.changes.clear()
    async with database.writing(WHO) as unit:
        await (await unit.session.connection()).exec_driver_sql("DELETE FROM touched_marks")
    assert seen.changes[1] == ("after", {EVERYTHING})


async def test_what_is_rolled_back_is_not_told(database: Database, seen: Seen) -> None:
    with pytest.raises(LookupError):
        async with database.writing(WHO) as unit:
            unit.session.add(Mark())
            await unit.session.flush()
            raise LookupError
    assert seen.changes == []


async def test_a_commit_of_unknown_outcome_is_told(
    database: Database, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise ConnectionResetError

    with pytest.raises(OutcomeUnknown):
        async with database.writing(WHO) as unit:
            unit.session.add(Mark())
            monkeypatch.setattr(type(unit._transaction), "commit", lost)
    assert [when for when, _ in seen.changes] == ["before", "after"]
