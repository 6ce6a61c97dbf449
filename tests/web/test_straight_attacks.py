"""Attacks on writes by prepared statements: whoever has a say in a row is asked, and each caller is judged as themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import MetaData, String, event, select
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Freehold, Principal, Resource, anyone, owner, scope, signed_in, system, where
from freehold.resource.base import NAMING, new_id
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings
from freehold.store.audit import AUDIT
from freehold.testing import House, Stage
from tests.web.shelf import ByName

pytestmark = pytest.mark.anyio
ADA, APPLICATION, KEY = new_id(), new_id(), new_id()


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Note(Base):
    __tablename__ = "notes"
    text: Mapped[str] = mapped_column(String(80))
    owner_id: Mapped[UUID]


class Paper(Base):
    __tablename__ = "papers"
    text: Mapped[str] = mapped_column(String(80))
    is_open: Mapped[bool] = mapped_column(default=False)
    owner_id: Mapped[UUID]


class Shouted(Base):
    __tablename__ = "shouted"
    text: Mapped[str] = mapped_column(String(80))
    count: Mapped[int] = mapped_column(default=0)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value.upper() if name == "text" else value)


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    folder: Path = tmp_path_factory.mktemp("var")
    settings = Settings(
        env="test", var_dir=folder, database_url=module_database, secret="x" * 40, limits="off", log_level="error"
    )
    notes = Resource(Note, access=Access(read=anyone, create=signed_in, update=owner("owner_id")), owner="owner_id")
    either = owner("owner_id") | where(Paper.is_open) & scope("papers")
    papers = Resource(Paper, access=Access(read=anyone, create=either, update=either), owner="owner_id")
    shouted = Resource(Shouted, access=Access(read=anyone, write=signed_in))
    return Freehold(notes, papers, shouted, settings=settings, authenticator=ByName())


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    async with house.stage(workers=False) as found:
        yield found


@contextmanager
def listening(target: Any, name: str, hear: Callable[..., Any], **options: Any) -> Iterator[None]:
    event.listen(target, name, hear, **options)
    try:
        yield
    finally:
        event.remove(target, name, hear)


@pytest.mark.parametrize("first", ["key", "application"])
async def test_Z07_an_application_is_judged_as_one_whoever_came_before(stage: Stage, first: str) -> None:
    """A key and an application with the same scopes are two kinds of callers: a person's own way is not an application's."""
    scopes = frozenset({"papers", first})
    key = stage.client(Principal(id=ADA, scopes=scopes, key_id=KEY))
    application = stage.client(Principal(id=ADA, scopes=scopes, client_id=APPLICATION))
    paper = await stage.make(Paper, text="one", owner_id=ADA)

    async def tries(client: httpx2.AsyncClient) -> list[int]:
        async with client:
            made = await client.post("/v1/papers", json={"text": "mine"})
            changed = await client.patch(f"/v1/papers/{paper.id}", json={"text": f"new {new_id()}"})
        return [made.status_code, changed.status_code]

    found = {}
    for name, client in sorted({"key": key, "application": application}.items(), key=lambda each: each[0] != first):
        found[name] = await tries(client)
    assert found == {"key": [201, 200], "application": [403, 403]}


async def test_Z07_an_application_learns_that_it_may_not_before_anything_else(stage: Stage) -> None:
    paper = await stage.make(Paper, text="one", owner_id=ADA)
    async with stage.client(Principal(id=ADA, scopes=frozenset({"papers"}), client_id=APPLICATION)) as client:
        answer = await client.patch(f"/v1/papers/{paper.id}", json={"text": "new"}, headers={"If-Match": '"9-x"'})
    assert answer.status_code == 403


@pytest.mark.parametrize("name", ["before_insert", "after_insert", "before_update", "after_update"])
async def test_a_listener_that_comes_late_is_heard(stage: Stage, name: str) -> None:
    seen: list[str] = []

    def hear(_: Any, __: Any, target: Note) -> None:
        seen.append(target.text)

    async with stage.as_user(id=ADA) as ada:
        path = (await ada.post("/v1/notes", json={"text": "before"})).headers["location"]
        with listening(Note, name, hear):
            await ada.post("/v1/notes", json={"text": "new"})
            await ada.patch(path, json={"text": "changed"})
    assert seen == ["new" if name.endswith("insert") else "changed"]


async def test_a_listener_to_an_attribute_that_comes_late_is_heard(stage: Stage) -> None:
    def shout(_: Note, value: str, *__: Any) -> str:
        return value.upper()

    async with stage.as_user(id=ADA) as ada:
        path = (await ada.post("/v1/notes", json={"text": "before"})).headers["location"]
        event.listen(Note.text, "set", shout, retval=True)
        try:
            made = await ada.post("/v1/notes", json={"text": "new"})
            changed = await ada.patch(path, json={"text": "changed"})
        finally:
            event.remove(Note.text, "set", shout)
    assert (made.json()["text"], changed.json()["text"]) == ("NEW", "CHANGED")


async def test_a_model_that_sets_attributes_its_own_way_does(stage: Stage) -> None:
    async with stage.as_user(id=ADA) as ada:
        made = await ada.post("/v1/shouted", json={"text": "new"})
        changed = await ada.patch(made.headers["location"], json={"text": "changed"})
    assert (made.json()["text"], changed.json()["text"]) == ("NEW", "CHANGED")


async def test_listeners_of_statements_get_what_SQLAlchemy_gives_them(stage: Stage) -> None:
    """The common recipes: a time on the context, and a remark in the statement."""
    timed: list[str] = []

    def before(_: Any, __: Any, statement: str, parameters: Any, context: Any, ___: bool) -> tuple[str, Any]:
        context.begun = statement
        return f"{statement} /* remark */", parameters

    def after(_: Any, __: Any, statement: str, ___: Any, context: Any, ____: bool) -> None:
        assert statement == f"{context.begun} /* remark */"
        timed.append(context.begun)

    engine = stage.database.engine.sync_engine
    async with stage.as_user(id=ADA) as ada:
        with (
            listening(engine, "before_cursor_execute", before, retval=True),
            listening(engine, "after_cursor_execute", after),
        ):
            made = await ada.post("/v1/notes", json={"text": "new"})
            changed = await ada.patch(made.headers["location"], json={"text": "changed"})
    assert (made.status_code, changed.status_code) == (201, 200)
    assert len(timed) > 3


async def test_a_listener_of_SQLAlchemys_executions_is_heard(stage: Stage) -> None:
    seen: list[str] = []
    engine = stage.database.engine.sync_engine

    def hear(_: Any, element: Any, *__: Any) -> None:
        seen.append(str(element))

    async with stage.as_user(id=ADA) as ada:
        with listening(engine, "before_execute", hear):
            await ada.post("/v1/notes", json={"text": "new"})
    assert any("INSERT INTO notes" in each for each in seen)


async def test_E05_X03_writers_at_once_lose_nothing(house: House) -> None:
    async with house.stage(isolate=False, workers=False) as stage, stage.as_user(id=ADA) as ada:
        made = await ada.post("/v1/notes", json={"text": "0"})
        path, tag = made.headers["location"], made.headers["etag"]
        answers = await asyncio.gather(
            *(ada.patch(path, json={"text": f"{n + 1}"}, headers={"If-Match": tag}) for n in range(50))
        )
        assert sorted(each.status_code for each in answers) == [200] + [412] * 49
        free = await asyncio.gather(*(ada.patch(path, json={"text": f"free {n}"}) for n in range(30)))
        assert {each.status_code for each in free} == {200}
        once = await asyncio.gather(
            *(ada.post("/v1/notes", json={"text": "once"}, headers={"Idempotency-Key": "k"}) for _ in range(50))
        )
        assert {each.status_code for each in once} <= {201, 409}
        assert len({each.content for each in once if each.status_code == 201}) == 1
        async with stage.database.reading(system("a test")) as db:
            notes = (await db.execute(select(Note.text, Note.row_version))).all()
            changes = (await db.execute(select(AUDIT.c.id).where(AUDIT.c.action == "notes.updated"))).all()
            created = (await db.execute(select(AUDIT.c.id).where(AUDIT.c.action == "notes.created"))).all()
    assert [each.text for each in notes].count("once") == 1
    assert len(changes) == 31
    assert len(created) == 2
