"""New rows that are sent at the same time share a statement and a commit, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from pydantic import BaseModel
from sqlalchemy import Enum, MetaData, String, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Freehold, Resource, Schemas, owner, signed_in, system
from freehold.fields import search_document
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings
from freehold.store.at_once_postgresql import PostgresTurn, PostgresWay
from freehold.store.audit import AUDIT
from freehold.store.together import Together
from freehold.testing import House, Stage
from tests.web.shelf import ADA, BOB, ByName
from tests.web.test_compiled import Tint
from tests.web.test_compiled_writes import Watching, watched

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("module_database", ["postgresql"], indirect=True)]
MANY = 12


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Bud(Base):
    """Its reader alone may see it, whoever made it."""

    __tablename__ = "buds"
    reader_id: Mapped[UUID]
    text: Mapped[str] = mapped_column(String(60))
    slug: Mapped[str | None] = mapped_column(String(60), unique=True)
    tint: Mapped[Tint | None] = mapped_column(Enum(Tint, name="bud_tint"))
    share: Mapped[float | None]
    search: Mapped[str] = search_document("text")


class BudDraft(BaseModel):
    reader_id: UUID
    text: str
    slug: str | None = None
    tint: Tint | None = None
    share: float | None = None


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    access = Access(read=owner("reader_id"), create=signed_in)
    buds = Resource(Bud, access=access, schemas=Schemas(create=BudDraft))
    folder: Path = tmp_path_factory.mktemp("var")
    given = Settings(
        env="test", var_dir=folder, database_url=module_database, secret="x" * 40, limits="off", log_level="error"
    )
    return Freehold(buds, title="Buds", settings=given, authenticator=ByName())


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    async with house.stage(isolate=False, workers=False) as found:
        async with found.as_user(id=ADA) as ada:  # prepares the statement
            assert (await ada.post("/v1/buds", json=bud("first"))).status_code == 201
        for each in way_of(found)._together.values():
            each._apart_until, each._refused_at = 0.0, -inf  # whatever the test before has had refused
        yield found


def bud(said: str, **others: Any) -> dict[str, Any]:
    return {"reader_id": str(ADA), "text": said, **others}


def way_of(stage: Stage) -> PostgresWay:
    found = stage.database.at_once
    assert isinstance(found, PostgresWay)
    return found


def together_of(stage: Stage) -> Together:
    (found,) = way_of(stage)._together.values()
    return found


@asynccontextmanager
async def crowded(stage: Stage) -> AsyncIterator[None]:
    """While it lasts, none is sent by itself, and none at all."""
    way = way_of(stage)
    held = [await way.turn() for _ in range(way.lanes._most)]
    together_of(stage).begins()
    together_of(stage).begins()
    try:
        yield
    finally:
        for each in held:
            each.leave()
        together_of(stage).ends()
        together_of(stage).ends()


async def waiting(stage: Stage, number: int) -> None:
    while len(together_of(stage)._waiting) < number:  # noqa: ASYNC110 (what is waited for tells nobody)
        await asyncio.sleep(0.001)


async def sent(stage: Stage, drafts: list[dict[str, Any]]) -> list[httpx2.Response]:
    """Their answers, by ADA and BOB in turn, of what met on the way."""
    async with stage.as_user(id=ADA) as ada, stage.as_user(id=BOB) as bob:
        async with crowded(stage):
            clients = [(ada, bob)[number % 2] for number in range(len(drafts))]
            tasks = [
                asyncio.create_task(client.post("/v1/buds", json=each))
                for client, each in zip(clients, drafts, strict=True)
            ]
            await waiting(stage, len(drafts))
        return list(await asyncio.gather(*tasks))


async def transactions(stage: Stage, said: str) -> int:
    """How many made the rows that say so."""
    async with stage.database.reading(system("a test")) as db:
        return int(await db.scalar(text(f"SELECT count(DISTINCT xmin::text) FROM buds WHERE text LIKE '{said}%'")) or 0)


async def test_they_share_a_commit_and_each_is_answered_as_alone(stage: Stage) -> None:
    drafts = [
        bud(f"shared {number}", tint=("red", None)[number % 2], share=number / 3 if number % 3 else None)
        for number in range(MANY)
    ]
    answers = await sent(stage, drafts)
    assert await transactions(stage, "shared") < MANY / 2
    for number, (draft, answer) in enumerate(zip(drafts, answers, strict=True)):
        assert answer.status_code == 201
        found = answer.json()
        if number % 2:
            assert found.keys() == {"id"}, "BOB may not read what he has written"
            continue
        assert {name: found[name] for name in draft} == draft
        async with stage.as_user(id=ADA) as ada:
            read = await ada.get(answer.headers["location"])
        assert (read.content, read.headers["etag"]) == (answer.content, answer.headers["etag"])
    async with stage.database.reading(system("a test")) as db:
        for number, answer in enumerate(answers):
            record = (await db.execute(select(AUDIT).where(AUDIT.c.subject_id == answer.json()["id"]))).one()
            assert (record.action, record.principal_id) == ("buds.created", (ADA, BOB)[number % 2])
            assert record.request_id == answer.headers["x-request-id"]


async def test_whoever_listens_hears_of_each(stage: Stage) -> None:
    before = len(stage.statements)
    await sent(stage, [bud(f"counted {number}") for number in range(4)])
    assert len(stage.statements) - before == 4


async def test_one_that_is_refused_is_refused_alone(stage: Stage) -> None:
    drafts = [bud(f"refused {number}", slug=f"slug {number % (MANY - 1)}") for number in range(MANY)]
    answers = await sent(stage, drafts)
    assert sorted(each.status_code for each in answers) == [201] * (MANY - 1) + [409]
    async with stage.database.reading(system("a test")) as db:
        assert await db.scalar(select(func.count()).where(Bud.text.like("refused%"))) == MANY - 1
    assert not together_of(stage).is_apart, "one that refuses may come again"


async def test_nobody_waits_for_what_a_strangers_row_waits_for(stage: Stage) -> None:
    async with stage.as_user(id=ADA) as ada, stage.as_user(id=BOB) as bob:
        async with stage.database.writing(system("holds the slug")) as unit:
            unit.session.add(Bud(reader_id=ADA, text="holder", slug="held"))
            await unit.session.flush()
            async with crowded(stage):
                held = asyncio.create_task(bob.post("/v1/buds", json=bud("waits", slug="held")))
                others = [asyncio.create_task(ada.post("/v1/buds", json=bud("goes on"))) for _ in range(4)]
                await waiting(stage, 5)
            answers = await asyncio.wait_for(asyncio.gather(*others), 3)
            assert not held.done()
            assert {each.status_code for each in answers} == {201}
        assert (await held).status_code == 409


async def test_nobody_waits_for_those_that_were_sent_before(stage: Stage) -> None:
    """Two wait for a row of somebody else's: what comes after them is sent all the same."""
    async with stage.as_user(id=ADA) as ada:
        async with stage.database.writing(system("holds both")) as unit:
            unit.session.add_all(Bud(reader_id=ADA, text="holder", slug=f"both {n}") for n in range(2))
            await unit.session.flush()
            held = [asyncio.create_task(ada.post("/v1/buds", json=bud("waits", slug=f"both {n}"))) for n in range(2)]
            while together_of(stage)._on_the_way < 2:  # noqa: ASYNC110 (as above)
                await asyncio.sleep(0.001)
            found = await asyncio.wait_for(ada.post("/v1/buds", json=bud("goes on")), 3)
            assert found.status_code == 201
            assert not any(each.done() for each in held)
        await asyncio.gather(*held)


async def test_V11_whoever_leaves_before_it_is_sent_leaves_nothing(stage: Stage) -> None:
    async with stage.as_user(id=ADA) as ada:
        async with crowded(stage):
            leaving, staying = [asyncio.create_task(ada.post("/v1/buds", json=bud(f"{n} left"))) for n in range(2)]
            await waiting(stage, 2)
            leaving.cancel()
            done, _ = await asyncio.wait([leaving], timeout=3)
            assert done
        assert (await staying).status_code == 201
    async with stage.database.reading(system("a test")) as db:
        assert await db.scalar(select(func.count()).where(Bud.text.like("%left"))) == 1


async def test_V11_whoever_leaves_later_waits_for_the_outcome(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    run, is_sent, goes_on = PostgresTurn.run, asyncio.Event(), asyncio.Event()

    async def slow(self: PostgresTurn, sql: str, values: Any) -> Any:
        is_sent.set()
        await goes_on.wait()
        return await run(self, sql, values)

    watching = Watching()
    async with watched(stage, watching), stage.as_user(id=ADA) as ada:
        async with crowded(stage):
            tasks = [asyncio.create_task(ada.post("/v1/buds", json=bud(f"{n} later"))) for n in range(2)]
            await waiting(stage, 2)
            monkeypatch.setattr(PostgresTurn, "run", slow)
        await is_sent.wait()
        tasks[0].cancel()
        done, _ = await asyncio.wait([tasks[0]], timeout=0.1)
        assert not done, "it may be done"
        goes_on.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert isinstance(found[1], httpx2.Response)
    assert watching.heard == ["will freehold_audit_values", "has freehold_audit_values"], "once for all"
    async with stage.database.reading(system("a test")) as db:
        assert await db.scalar(select(func.count()).where(Bud.text.like("%later"))) == 2


async def test_a_connection_that_is_lost_is_an_unknown_outcome_for_each(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = PostgresTurn.run
    lost: list[str] = []

    async def cut_off(self: PostgresTurn, sql: str, values: Any) -> Any:
        if not lost and "fh_given" in sql:
            lost.append(sql)
            assert self._lane is not None
            self._lane._raw.terminate()
        return await run(self, sql, values)

    monkeypatch.setattr(PostgresTurn, "run", cut_off)
    answers = await sent(stage, [bud("lost"), bud("lost")])
    assert [each.status_code for each in answers] == [503, 503]
    assert {each.json()["code"] for each in answers} == {"service.outcome_unknown"}
    assert [each.status_code for each in await sent(stage, [bud("found"), bud("found")])] == [201, 201]


async def test_what_a_watcher_refuses_is_refused_for_each(stage: Stage) -> None:
    class Refusing(Watching):
        async def will_change(self, change: Any) -> None:
            await super().will_change(change)
            raise LookupError("a fault of the watcher's")

    async with watched(stage, refusing := Refusing()):
        answers = await sent(stage, [bud("nothing"), bud("nothing")])
    assert [each.status_code for each in answers] == [500, 500]
    assert refusing.heard == ["will freehold_audit_values", "has freehold_audit_values"]
    async with stage.database.reading(system("a test")) as db:
        assert await db.scalar(select(func.count()).where(Bud.text == "nothing")) == 0
