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

from freehold import Access, Freehold, Principal, Queries, Resource, anyone, owner, scope, signed_in, system, where
from freehold.fields import search_document
from freehold.resource.base import NAMING, new_id
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings
from freehold.store.audit import AUDIT
from freehold.store.audit_check import verify
from freehold.store.audit_sealing import seal_pending
from freehold.store.audit_values import AUDIT_VALUES
from freehold.testing import House, Stage
from freehold.traffic import Cache
from freehold.web.changing import Changing
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
    body: Mapped[str | None] = mapped_column(deferred=True)
    is_open: Mapped[bool] = mapped_column(default=False)
    owner_id: Mapped[UUID]


class Letter(Base):
    __tablename__ = "letters"
    text: Mapped[str] = mapped_column(String(80))
    to_id: Mapped[UUID]
    is_sealed: Mapped[bool] = mapped_column(default=False)
    stamp: Mapped[str | None] = mapped_column(String(9))


class Label(Base):
    __tablename__ = "labels"
    text: Mapped[str] = mapped_column(String(80))
    search: Mapped[str] = search_document("text")


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
    labels = Resource(
        Label, access=Access(read=anyone, write=signed_in), queries=Queries(search=["text"]), cache=Cache(seconds=600)
    )
    notes = Resource(Note, access=Access(read=anyone, create=signed_in, update=owner("owner_id")), owner="owner_id")
    either = owner("owner_id") | where(Paper.is_open.is_(True)) & scope("papers")
    papers = Resource(Paper, access=Access(read=anyone, create=either, update=either), owner="owner_id")
    shouted = Resource(Shouted, access=Access(read=anyone, write=signed_in))
    addressed = owner("to_id")
    letters = Resource(
        Letter,
        access=Access(
            read=anyone,
            write=signed_in & scope("letters"),
            write_fields={"is_sealed": addressed, "stamp": addressed | scope("stamps")},
        ),
    )
    return Freehold(letters, labels, notes, papers, shouted, settings=settings, authenticator=ByName())


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


def version(answer: httpx2.Response) -> int:
    """Of the row, as its tag has it."""
    return int(answer.headers["etag"].strip('"').partition("-")[0])


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


async def test_Z04_a_rule_of_a_field_is_asked_of_a_new_row_too(stage: Stage) -> None:
    """Whose paper it is decides who may seal it, at its creation as at a change."""
    async with stage.as_user(id=ADA) as ada, stage.as_user(id=new_id()) as eve:
        mine = await ada.post("/v1/letters", json={"text": "mine", "to_id": str(ADA), "is_sealed": True})
        refused = [
            await eve.post("/v1/letters", json={"text": "hers", "to_id": str(ADA), "is_sealed": True}),
            await eve.patch(mine.headers["location"], json={"is_sealed": False}),
        ]
        plain = await eve.post("/v1/letters", json={"text": "hers", "to_id": str(ADA)})
    assert (mine.status_code, plain.status_code) == (201, 201)
    for each in refused:
        assert each.status_code == 422
        assert each.json()["errors"][0]["pointer"] == "/is_sealed"
    async with stage.database.reading(system("a test")) as db:
        assert sorted(await db.scalars(select(Letter.text))) == ["hers", "mine"]


async def test_Z07_an_application_sets_no_field_by_the_way_of_a_person(stage: Stage) -> None:
    caller = Principal(id=ADA, scopes=frozenset({"letters"}), client_id=APPLICATION)
    letter = await stage.make(Letter, text="one", to_id=ADA)
    async with stage.client(caller) as client:
        answer = await client.patch(f"/v1/letters/{letter.id}", json={"stamp": "red"})
        assert (await client.patch(f"/v1/letters/{letter.id}", json={"text": "two"})).status_code == 200
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/stamp")
    async with stage.as_user(id=ADA) as ada:
        assert (await ada.patch(f"/v1/letters/{letter.id}", json={"stamp": "red"})).status_code == 200


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


async def test_what_it_was_is_told_of_columns_that_are_loaded_late(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever way the change goes, and it is none where nothing changes."""

    async def told() -> list[Any]:
        async with stage.as_user(id=ADA) as ada:
            path = (await ada.post("/v1/papers", json={"text": "one", "body": "was"})).headers["location"]
            assert version(await ada.patch(path, json={"body": "is"})) == 2
            assert version(await ada.patch(path, json={"body": "is"})) == 2
        async with stage.database.reading(system("a test")) as db:
            mine = AUDIT.c.subject_id == path.rpartition("/")[2], AUDIT.c.action == "papers.updated"
            ids = select(AUDIT.c.id).where(*mine)
            return list(await db.scalars(select(AUDIT_VALUES.c.content).where(AUDIT_VALUES.c.record_id.in_(ids))))

    for can in (Changing.can, lambda *_: False):
        monkeypatch.setattr(Changing, "can", can)
        (content,) = await told()
        assert content["body"][1] == {"from": "was", "to": "is"}


async def test_H02_kept_answers_and_what_search_finds_follow(house: House) -> None:
    async with house.stage(isolate=False, workers=False) as stage, stage.as_user(id=ADA) as ada:

        async def found(term: str) -> list[str]:
            return [each["text"] for each in (await ada.get("/v1/labels", params={"q": term})).json()["items"]]

        assert await found("lamp") == []
        path = (await ada.post("/v1/labels", json={"text": "A lamp"})).headers["location"]
        assert await found("lamp") == ["A lamp"]
        assert (await ada.patch(path, json={"text": "A chair"})).status_code == 200
        assert (await found("lamp"), await found("chair")) == ([], ["A chair"])


@pytest.mark.parametrize("verb", ["POST", "PATCH"])
async def test_I04_one_key_has_one_effect(real_stage: Stage, verb: str) -> None:
    async with real_stage.as_user(id=ADA) as ada:
        path = "/v1/notes"
        if verb == "PATCH":
            path = (await ada.post(path, json={"text": "was"})).headers["location"]
        key = {"Idempotency-Key": f"{new_id()}"}
        answers = await asyncio.gather(
            *(ada.request(verb, path, json={"text": "once"}, headers=key) for _ in range(50))
        )
        again = await ada.request(verb, path, json={"text": "once"}, headers=key)
        other = await ada.request(verb, path, json={"text": "twice"}, headers=key)
    done = [each for each in answers if each.status_code < 300]
    assert {each.status_code for each in answers if each.status_code >= 300} <= {409}
    assert len({each.content for each in [*done, again]}) == 1
    assert (again.headers["idempotent-replayed"], other.status_code) == ("true", 422)
    async with real_stage.database.reading(system("a test")) as db:
        mine = AUDIT.c.subject_id == again.json()["id"]
        records = (await db.scalars(select(AUDIT.c.action).where(mine).order_by(AUDIT.c.recorded_at))).all()
    assert records == ["notes.created", *(["notes.updated"] if verb == "PATCH" else [])]


async def test_E05_X03_writers_at_once_lose_nothing(real_stage: Stage) -> None:
    async with real_stage.as_user(id=ADA) as ada:
        made = await ada.post("/v1/notes", json={"text": "0"})
        path, tag = made.headers["location"], made.headers["etag"]
        answers = await asyncio.gather(
            *(ada.patch(path, json={"text": f"{n + 1}"}, headers={"If-Match": tag}) for n in range(50))
        )
        assert sorted(each.status_code for each in answers) == [200] + [412] * 49
        free = await asyncio.gather(*(ada.patch(path, json={"text": f"free {n}"}) for n in range(30)))
        assert sorted(version(each) for each in free) == list(range(3, 33))
        while await seal_pending(real_stage.database):
            pass
        async with real_stage.database.reading(system("a test")) as db:
            assert await verify(db) == []
            mine = AUDIT.c.subject_id == made.json()["id"]
            records = (await db.scalars(select(AUDIT.c.action).where(mine))).all()
    assert sorted(records) == ["notes.created", *["notes.updated"] * 31]


async def test_V12_a_client_that_leaves_in_the_middle_leaves_a_whole_write_or_none(real_stage: Stage) -> None:
    # asyncpg tells the loop of each connection that is given up in the middle of its work.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with real_stage.as_user(id=ADA) as ada:
        path = (await ada.post("/v1/notes", json={"text": "0"})).headers["location"]
        for rounds in range(40):
            task = asyncio.ensure_future(ada.patch(path, json={"text": f"{rounds}"}))
            for _ in range(rounds):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            made = asyncio.ensure_future(ada.post("/v1/notes", json={"text": f"left {rounds}"}))
            for _ in range(rounds):
                await asyncio.sleep(0)
            made.cancel()
            await asyncio.gather(made, return_exceptions=True)
        async with asyncio.timeout(20):
            last = await ada.patch(path, json={"text": "last"})
    assert last.status_code == 200
    async with real_stage.database.reading(system("a test")) as db:
        changes = select(AUDIT.c.id).where(AUDIT.c.subject_id == last.json()["id"])
        assert len((await db.scalars(changes)).all()) == version(last)
        left = set(await db.scalars(select(Note.id).where(Note.text.startswith("left"))))
        told = set(await db.scalars(select(AUDIT.c.subject_id).where(AUDIT.c.action == "notes.created")))
    assert {str(each) for each in left} <= told
