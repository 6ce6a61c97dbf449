"""Compiled writes leave and answer what writes through FastAPI and a flush do, and refuse in the same words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from sqlalchemy import JSON, MetaData, String, event, func, select, table, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Mapped, mapped_column
from starlette.requests import ClientDisconnect

from freehold import Access, Freehold, Queries, Resource, Schemas, anyone, owner, role, signed_in, system, where
from freehold.errors import OutcomeUnknown
from freehold.fields import search_document
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.store.at_once import Alone, Triggered, alone, triggered
from freehold.store.at_once_postgresql import PostgresWay, open_way
from freehold.store.audit import AUDIT
from freehold.store.audit_values import AUDIT_VALUES
from freehold.store.lanes import Lane
from freehold.store.postgresql import Patience
from freehold.store.touched import Change, Watchers
from freehold.store.ways import NotAtOnce
from freehold.testing import House, Stage
from freehold.web.compiled.table import table_of
from freehold.web.reads import Reads
from tests.web.shelf import ADA, ByName, as_
from tests.web.test_compiled import Pair, Tint, client_of, quiet

Row = dict[str, Any]


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Leaf(Base):
    """Columns of every exact type."""

    __tablename__ = "leaves"
    owner_id: Mapped[UUID] = mapped_column(index=True)
    is_public: Mapped[bool] = mapped_column(default=False)
    text: Mapped[str | None] = mapped_column(String(60))
    slug: Mapped[str | None] = mapped_column(String(60), unique=True)
    number: Mapped[int | None]
    rank: Mapped[int] = mapped_column(default=lambda: 7)
    share: Mapped[float | None]
    other_id: Mapped[UUID | None]
    tint: Mapped[Tint | None]
    search: Mapped[str] = search_document("text")


class Branch(Base):
    """Only some of whose rows their makers may see."""

    __tablename__ = "branches"
    owner_id: Mapped[UUID]
    text: Mapped[str] = mapped_column(String(60))


class Twig(Base):
    """What is shown of it may be less than what it holds."""

    __tablename__ = "twigs"
    tags: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))


class TwigDraft(BaseModel):
    tags: list[str] | None


class TwigRead(BaseModel):
    id: UUID
    tags: list[str]


def made(url: str, folder: Path, *, compiled: str = "on") -> Freehold:
    mine = owner("owner_id")
    leaves = Resource(
        Leaf,
        access=Access(
            read=mine | where(lambda: Leaf.is_public.is_(True)) | role("staff"), create=mine, update=mine, delete=mine
        ),
        queries=Queries(sort=["created_at"], search=["text"]),
    )
    hidden = where(lambda: Branch.text != "hidden")
    branches = Resource(
        Branch, owner="owner_id", access=Access(read=hidden, create=signed_in, update=signed_in, delete=signed_in)
    )
    twigs = Resource(
        Twig,
        schemas=Schemas(read=TwigRead, create=TwigDraft, update=TwigDraft),
        access=Access(read=anyone, write=signed_in),
    )
    return Freehold(
        leaves, branches, twigs, title="Leaves", settings=quiet(url, folder, compiled=compiled), authenticator=ByName()
    )


@pytest.fixture(scope="module")
def pair(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def opened() -> Pair:
            apps = [made(module_database, folder, compiled=each) for each in ("on", "off")]
            for each in apps:
                await stack.enter_async_context(each.router.lifespan_context(each))
            return Pair(runner, apps[0], *[await stack.enter_async_context(client_of(each)) for each in apps])

        yield runner.run(opened())
        runner.run(stack.aclose())


FEW = settings(max_examples=5)
SENT = st.fixed_dictionaries(
    {"number": st.integers(-(2**31), 2**31 - 1)},
    optional={
        # Characters that no body may hold are another matter.
        "text": st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"]), max_size=8),
        "share": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "other_id": st.none() | st.uuids(),
        "tint": st.none() | st.sampled_from(Tint),
    },
)
BAD: list[tuple[bytes, dict[str, str]]] = [
    (b"", {}),
    (b"{", {}),
    (b"[]", {}),
    (b"null", {}),
    (b'"x"', {}),
    (b"\xef\xbb\xbf{}", {}),
    (b'{"text": "\xff"}', {}),
    (b'{"text": "a", "text": "b"}', {}),
    (b'{"text": NaN}', {}),
    (b'{"text": "\\ud800"}', {}),
    (b'{"text": "\\u0000"}', {}),
    (b'{"number": 99999999999999999999}', {}),
    (b'{"number": "1"}', {}),
    (b'{"number": 1.5}', {}),
    (b'{"text": 1, "share": "x", "tint": "green", "colour": 1}', {}),
    (b'{"text": "' + b"x" * 61 + b'"}', {}),
    (b'{"owner_id": "x"}', {}),
    (b'{"rank": null}', {}),
    (b"[" * 65 + b"]" * 65, {}),
    (b"{}", {"Content-Type": "text/plain"}),
    (b"{}", {"Content-Type": "application/json; charset=latin-1"}),
    (b"{}", {"Idempotency-Key": '"a b'}),
    (b"{}", {"If-Match": "broken"}),
    (b"{}", {"If-Match": '"99-x"'}),
    (b"{}", {"If-Match": "*"}),
    (b"{}", {"Authorization": "Basic x"}),
    (b"{}", {"Authorization": ""}),
]


async def told(app: Freehold, key: str, verb: str) -> Any:
    """The row as it is, and what its last record tells."""
    async with app.database.reading(system("a test")) as db:
        row = (await db.execute(select(Leaf.__table__).where(Leaf.id == UUID(key)))).one()._asdict()
        asked = select(AUDIT).where(AUDIT.c.subject_id == key, AUDIT.c.action == f"leaves.{verb}")
        record = (await db.execute(asked.order_by(AUDIT.c.id.desc()).limit(1))).one()
        kept = await db.scalar(select(AUDIT_VALUES.c.content).where(AUDIT_VALUES.c.record_id == record.id))
    changes = {name: change for name, (_, change) in (kept or {}).items()}
    assert set((record.details or {}).get("changed", ())) == changes.keys()
    for each in ("id", "created_at", "updated_at"):
        row.pop(each)
        changes.pop(each, None)
    return row, changes, record.principal_id, record.system_reason, record.subject_type


class TestSameWrites:
    @FEW
    @given(draft=SENT)
    def test_what_is_created(self, pair: Pair, draft: Row) -> None:
        body = to_jsonable_python(draft)

        async def compare() -> None:
            found = []
            for client in (pair.compiled, pair.plain):
                answer = await client.post("/v1/leaves", json=body, headers=as_("ada"))
                assert answer.status_code == 201, answer.text
                read = await pair.plain.get(answer.headers["location"], headers=as_("ada"))
                assert (answer.content, answer.headers["etag"]) == (read.content, read.headers["etag"])
                left = await told(pair.app, answer.json()["id"], "created")
                own = {"etag", "location", "x-request-id", "date"}
                names = [(name, value) for name, value in answer.headers.multi_items() if name not in own]
                found.append(([name for name, _ in answer.headers.multi_items()], names, left))
            assert found[0] == found[1]

        pair.runner.run(compare())

    @FEW
    @given(draft=SENT, changes=SENT)
    def test_what_is_changed(self, pair: Pair, draft: Row, changes: Row) -> None:
        bodies = [to_jsonable_python(each) for each in (draft, changes, changes)]

        async def compare() -> None:
            found = []
            for client in (pair.compiled, pair.plain):
                answer = await pair.plain.post("/v1/leaves", json=bodies[0], headers=as_("ada"))
                path = answer.headers["location"]
                steps: list[Any] = []
                for each in bodies[1:]:
                    headers = as_("ada") | {"If-Match": answer.headers["etag"]}
                    answer = await client.patch(path, json=each, headers=headers)
                    assert answer.status_code == 200, answer.text
                    read = await pair.plain.get(path, headers=as_("ada"))
                    assert (answer.content, answer.headers["etag"]) == (read.content, read.headers["etag"])
                    steps += [list(answer.headers), await told(pair.app, answer.json()["id"], "updated")]
                found.append(steps)
            assert found[0] == found[1]

        pair.runner.run(compare())

    def test_what_is_refused(self, pair: Pair) -> None:
        async def compare() -> None:
            key = (await pair.plain.post("/v1/leaves", json={"slug": "one"}, headers=as_("ada"))).json()["id"]
            path = f"/v1/leaves/{key}"
            for body, headers in BAD:
                asked = as_("ada") | {"Content-Type": "application/json"} | headers
                asked = {name: value for name, value in asked.items() if value}
                for method, where_to in (("POST", "/v1/leaves"), ("PATCH", path), ("PATCH", f"/v1/leaves/{uuid4()}")):
                    if method == "POST" and body == b"{}" and "If-Match" in headers:
                        continue  # nobody asks what a new row matches
                    await pair.same(where_to, asked, method=method, content=body)
            for who in ({}, as_("bob"), as_("staff")):
                await pair.same(path, who, method="PATCH", json={"number": 3})
                await pair.same(path, who, method="DELETE")
            await pair.same("/v1/leaves", method="POST", json={"number": 3})
            await pair.same("/v1/leaves?a=1", as_("ada"), method="POST", json={"number": 3})
            await pair.same("/v1/leaves", as_("ada"), method="POST", json={"owner_id": str(uuid4())})
            await pair.same("/v1/leaves", as_("ada"), method="POST", json={"slug": "one"})
            other = (await pair.plain.post("/v1/leaves", json={"slug": "two"}, headers=as_("ada"))).headers["location"]
            await pair.same(other, as_("ada"), method="PATCH", json={"slug": "one"})

        pair.runner.run(compare())

    def test_who_may_not_see_what_they_made(self, pair: Pair) -> None:
        async def compare() -> None:
            for body in ({"text": "hidden"}, {"text": "seen"}):
                found: list[list[Any]] = []
                for client in (pair.compiled, pair.plain):
                    answer = await client.post("/v1/branches", json=body, headers=as_("ada"))
                    found.append([answer.status_code, answer.json().keys(), list(answer.headers)])
                    path = answer.headers["location"]
                    if body["text"] == "seen":
                        hidden = await client.patch(path, json={"text": "hidden"}, headers=as_("ada"))
                        found[-1] += [hidden.status_code, hidden.content == b'{"id":"%b"}' % path[-36:].encode()]
                        assert hidden.json().keys() == {"id"}
                assert found[0] == found[1]

        pair.runner.run(compare())

    def test_they_are_compiled(self, pair: Pair) -> None:
        table = table_of(pair.app, pair.app.mounted)
        for method, path in (("POST", ""), ("PATCH", "/{id}"), ("DELETE", "/{id}")):
            assert table.reason(method, f"/v1/leaves{path}") == ""


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    return made(module_database, tmp_path_factory.mktemp("var"))


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    async with house.stage(isolate=False, workers=False) as found:
        yield found


@asynccontextmanager
async def watched(stage: Stage, watcher: Any) -> AsyncIterator[None]:
    each = stage.database.parts[Watchers]._each
    each.append(watcher)
    try:
        yield
    finally:
        each.remove(watcher)


class Watching:
    """Notes what it is told."""

    def __init__(self, *, joins: bool = False) -> None:
        self.heard: list[str] = []
        self._joins = joins

    def joins(self, _: Change) -> bool:
        return self._joins

    async def will_change(self, change: Change) -> None:
        self.heard.append(f"will {max(change.tables)}")

    async def has_changed(self, change: Change) -> None:
        self.heard.append(f"has {max(change.tables)}")

    async def has_been_replaced(self) -> None:
        self.heard.append("replaced")


@pytest.mark.anyio
@pytest.mark.parametrize("module_database", ["postgresql"], indirect=True)
class TestAtOnce:
    """On PostgreSQL a plain write is one statement, which is committed when it ends."""

    async def made(self, stage: Stage) -> tuple[str, int]:
        async with stage.as_user(id=ADA) as ada:
            before = len(stage.statements)
            answer = await ada.post("/v1/leaves", json={"text": "one"})
        assert answer.status_code == 201
        return answer.headers["location"], len(stage.statements) - before

    async def test_how_many_statements(self, stage: Stage) -> None:
        path, used = await self.made(stage)
        assert used == 1
        with stage.budgets({"PATCH /v1/leaves/{id}": 2}) as budgets:
            async with stage.as_user(id=ADA) as ada:
                assert (await ada.patch(path, json={"number": 5})).status_code == 200
        assert budgets.used == {"PATCH /v1/leaves/{id}": 2}

    async def test_a_body_may_come_in_pieces(self, stage: Stage) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for each in (b'{"text"', b"", b': "in pieces"}'):
                yield each

        async with stage.as_user(id=ADA) as ada:
            answer = await ada.post("/v1/leaves", content=pieces(), headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["text"]) == (201, "in pieces")

    async def test_V11_whoever_leaves_in_the_middle_of_a_body_leaves_nothing(self, stage: Stage) -> None:
        came = [
            {"type": "http.request", "body": b'{"text": "half"}', "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def receive() -> Any:
            return came.pop(0)

        writing = table_of(stage.app, stage.app.mounted)
        found = writing.find(
            {"type": "http", "method": "POST", "path": "/v1/leaves", "root_path": "", "query_string": b""}
        )
        assert found is not None
        with pytest.raises(ClientDisconnect):
            await found[0].operation.answer(stage.app.state.freehold, {"type": "http", "method": "POST"}, receive)
        assert came == []

    async def test_commits_are_told_and_whoever_joins_them_does(self, stage: Stage) -> None:
        quiet, joining = Watching(), Watching(joins=True)
        async with watched(stage, quiet):
            assert (await self.made(stage))[1] == 1
        assert quiet.heard == ["will leaves", "has leaves"]
        async with watched(stage, joining):
            assert (await self.made(stage))[1] == 1
        assert joining.heard == ["will leaves", "has leaves"]

    async def test_whoever_listens_to_the_engine_hears(self, stage: Stage) -> None:
        heard: list[str] = []

        def hear(*args: Any) -> None:
            heard.append(args[2])

        engine = stage.database.engine.sync_engine
        event.listen(engine, "after_cursor_execute", hear)
        try:
            await self.made(stage)
        finally:
            event.remove(engine, "after_cursor_execute", hear)
        assert any("INTO leaves" in each for each in heard)

    async def test_what_a_trigger_makes_of_a_row_is_read_back(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with stage.database.writing(system("a trigger of the application's own")) as unit:
            connection = await unit.session.connection()
            for each in TRIGGER:
                await connection.exec_driver_sql(each)
        monkeypatch.setitem(stage.database.parts, Triggered, Triggered({"leaves"}))
        async with stage.database.engine.connect() as connection:
            assert await triggered(connection) == {"leaves"}
        try:
            async with stage.as_user(id=ADA) as ada:
                answer = await ada.post("/v1/leaves", json={"text": "one"})
            assert answer.json()["text"] == "triggered"
        finally:
            async with stage.database.writing(system("and gone")) as unit:
                await (await unit.session.connection()).exec_driver_sql("DROP FUNCTION after_leaf CASCADE")

    async def test_a_row_that_a_trigger_puts_elsewhere_is_found_there(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with stage.database.writing(system("tables parted by a trigger")) as unit:
            connection = await unit.session.connection()
            for each in PARTED:
                await connection.exec_driver_sql(each)
        async with stage.database.engine.connect() as connection:
            monkeypatch.setitem(stage.database.parts, Triggered, await triggered(connection))
        try:
            async with stage.as_user(id=ADA) as ada:
                answer = await ada.post("/v1/leaves", json={"text": "one"})
            assert (answer.status_code, answer.json().get("text")) == (201, "one")
            async with stage.database.engine.connect() as connection:
                assert await connection.scalar(select(func.count()).select_from(table("parted"))) == 1
        finally:
            async with stage.database.writing(system("and gone")) as unit:
                connection = await unit.session.connection()
                await connection.exec_driver_sql("DROP FUNCTION part_leaf CASCADE")
                await connection.exec_driver_sql("DROP TABLE parted")

    async def test_X02_whoever_was_slower_is_told(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """The row is looked at without a lock, and changed only while it is as it was."""
        path, _ = await self.made(stage)
        write = Alone.write

        async def slow(self: Alone, *args: Any) -> Any:
            async with stage.database.writing(system("somebody faster")) as unit:
                row = await unit.session.get(Leaf, UUID(path[-36:]))
                assert row is not None
                row.number = 1
            return await write(self, *args)

        monkeypatch.setattr(Alone, "write", slow)
        async with stage.as_user(id=ADA) as ada:
            tag = (await ada.get(path)).headers["etag"]
            assert (await ada.patch(path, json={"rank": 2}, headers={"If-Match": tag})).status_code == 412
            found = await ada.patch(path, json={"rank": 3})
        assert (found.status_code, found.json()["rank"], found.json()["number"]) == (200, 3, 1)
        async with stage.database.reading(system("a test")) as db:
            asked = select(AUDIT).where(AUDIT.c.subject_id == path[-36:], AUDIT.c.action == "leaves.updated")
            told = [each for each in (await db.execute(asked)).all() if each.principal_id == ADA]
        assert len(told) == 1, "what did not change the row is not told"

    async def test_rows_that_are_looked_at_at_the_same_time_share_a_statement(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        way, looks = stage.database.at_once, list[str]()
        assert isinstance(way, PostgresWay)
        fetch = way.lanes.fetch

        async def noted(sql: str, values: Sequence[Any]) -> Any:
            looks.append(sql)
            return await fetch(sql, values)

        monkeypatch.setattr(way.lanes, "fetch", noted)
        paths = [(await self.made(stage))[0] for _ in range(12)]
        nowhere = f"{paths[0][:-36]}{uuid4()}"
        async with stage.as_user(id=ADA) as ada, stage.as_user(id=uuid4()) as bob:
            asked = [ada.patch(path, json={"rank": number}) for number, path in enumerate(paths)]
            *found, gone, others = await asyncio.gather(
                *asked, ada.patch(nowhere, json={"rank": 1}), bob.patch(paths[0], json={"rank": 1})
            )
        assert [(each.status_code, each.json()["rank"]) for each in found] == [(200, n) for n in range(12)]
        assert gone.status_code == 404
        assert others.status_code in (403, 404)
        assert 0 < len(looks) < 7

    async def test_X02_no_change_is_lost_among_many(self, stage: Stage) -> None:
        """Each adds one to what it has read, and says which version that was."""
        path, _ = await self.made(stage)

        async def add(times: int) -> None:
            async with stage.as_user(id=ADA) as ada:
                while times:
                    read = await ada.get(path)
                    sent = {"rank": read.json()["rank"] + 1}
                    answer = await ada.patch(path, json=sent, headers={"If-Match": read.headers["etag"]})
                    assert answer.status_code in (200, 412), answer.text
                    times -= answer.status_code == 200

        await asyncio.gather(*(add(3) for _ in range(4)))
        async with stage.as_user(id=ADA) as ada:
            assert (await ada.get(path)).json()["rank"] == 7 + 12
        async with stage.database.reading(system("a test")) as db:
            asked = select(AUDIT_VALUES.c.content).where(AUDIT_VALUES.c.subject_id == path[-36:])
            told = [each["rank"][1] for (each,) in await db.execute(asked) if "rank" in each]
            assert sorted(each["to"] for each in told) == list(range(7, 20)), "each is told once"

    async def test_whoever_is_cancelled_waits_for_the_outcome(self, stage: Stage) -> None:
        watching = Watching()
        found = alone(stage.database, system("a test"), None)
        assert found is not None
        async with watched(stage, watching):
            task = asyncio.create_task(_to_sleep(found))
            await asleep(stage)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert watching.heard == ["will slept", "has slept"]
        async with stage.database.reading(system("a test")) as db:
            assert (await db.execute(ASLEEP)).all() == []

    async def test_a_listener_that_raises_takes_no_connection_along(self, stage: Stage) -> None:
        way = stage.database.at_once
        assert isinstance(way, PostgresWay)

        def raises(sql: str) -> None:
            if sql.startswith("WITH"):
                raise RuntimeError

        before = way.lanes.in_use
        stage.database.listeners.append(raises)
        try:
            async with stage.as_user(id=ADA) as ada:
                for _ in range(2 * way.lanes._most):
                    assert (await ada.post("/v1/leaves", json={"text": "unheard"})).status_code == 500
        finally:
            stage.database.listeners.remove(raises)
        assert way.lanes.in_use == before
        assert (await self.made(stage))[1] == 1

    async def test_sets_of_columns_without_end_are_written_at_once_and_few_are_kept(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("freehold.store.changed_rows._MOST_TEXTS", 2)
        path, _ = await self.made(stage)
        async with stage.as_user(id=ADA) as ada:

            async def statements(sent: Row) -> int:
                before = len(stage.statements)
                answer = await ada.patch(path, json=sent)
                assert answer.status_code == 200, answer.text
                return len(stage.statements) - before

            usual = await statements({"number": 1})
            for number, names in enumerate(
                [("rank",), ("share",), ("rank", "share"), ("number",), ("share",)], start=2
            ):
                assert await statements(dict.fromkeys(names, number)) == usual, names

    async def test_what_cannot_be_shown_is_not_written(self, stage: Stage) -> None:
        async with stage.as_user(id=ADA) as ada:
            before = len(stage.statements)
            made = await ada.post("/v1/twigs", json={"tags": ["a", "b"]})
            assert (made.status_code, len(stage.statements) - before) == (201, 1)
            assert (await ada.patch(made.headers["location"], json={"tags": None})).status_code == 500
            assert (await ada.post("/v1/twigs", json={"tags": None})).status_code == 500
        async with stage.database.reading(system("a test")) as db:
            assert (await db.scalars(select(Twig.tags))).all() == [["a", "b"]]

    async def test_what_is_committed_is_not_done_again_whatever_goes_wrong_then(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: Any) -> None:
            raise LookupError("a fault of our own")

        path, _ = await self.made(stage)
        slug = str(uuid4())
        with monkeypatch.context() as patch:
            patch.setattr(Reads, "written", broken)
            async with stage.as_user(id=ADA) as ada:
                assert (await ada.post("/v1/leaves", json={"text": slug})).status_code == 500
                assert (await ada.patch(path, json={"text": slug})).status_code == 500
        async with stage.database.reading(system("a test")) as db:
            versions = await db.scalars(select(Leaf.row_version).where(Leaf.text == slug))
            assert sorted(versions) == [1, 2], "once each"

    async def test_what_is_committed_is_not_done_again_where_nobody_can_be_told(self, stage: Stage) -> None:
        class Failing(Watching):
            async def has_changed(self, change: Change) -> None:
                await super().has_changed(change)
                raise LookupError("a fault of the watcher's")

        slug = str(uuid4())
        async with watched(stage, failing := Failing()), stage.as_user(id=ADA) as ada:
            assert (await ada.post("/v1/leaves", json={"text": slug})).status_code == 500
        assert failing.heard == ["will leaves", "has leaves"]
        async with stage.database.reading(system("a test")) as db:
            assert await db.scalar(select(func.count()).where(Leaf.text == slug)) == 1

    async def test_V11_whoever_is_cancelled_before_it_is_sent_leaves_nothing(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        way, watching = stage.database.at_once, Watching()
        assert isinstance(way, PostgresWay)
        held = [await way.turn() for _ in range(way.lanes._most)]
        slug, waits, lane = str(uuid4()), asyncio.Event(), way.lanes.lane

        async def noted() -> Lane:
            waits.set()
            return await lane()

        monkeypatch.setattr(way.lanes, "lane", noted)
        async with watched(stage, watching), stage.as_user(id=ADA) as ada:
            task = asyncio.create_task(ada.post("/v1/leaves", json={"slug": slug}))
            await waits.wait()
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=1)
            for each in held:
                await each.run("SELECT 1", [])
            await asyncio.gather(task, return_exceptions=True)
        assert done, "nobody waits for what was not sent"
        assert watching.heard == ["will leaves", "has leaves"]
        async with stage.database.reading(system("a test")) as db:
            assert await db.scalar(select(func.count()).where(Leaf.slug == slug)) == 0

    async def test_V11_whoever_is_cancelled_has_it_cut_short(self, stage: Stage) -> None:
        path, _ = await self.made(stage)
        async with stage.as_user(id=ADA) as ada:
            async with stage.database.writing(system("holds the row")) as unit:
                await unit.session.execute(select(Leaf.id).where(Leaf.id == UUID(path[-36:])).with_for_update())
                task = asyncio.create_task(ada.patch(path, json={"number": 8}))
                await blocked(stage)
                task.cancel()
                done, _ = await asyncio.wait([task], timeout=1)
            await asyncio.gather(task, return_exceptions=True)
            assert done, "what another holds is not waited for"
            assert (await ada.get(path)).json()["number"] is None
        assert (await self.made(stage))[1] == 1

    async def test_a_connection_that_is_lost_leaves_the_outcome_unknown(self, stage: Stage) -> None:
        found = alone(stage.database, system("a test"), None)
        assert found is not None
        task = asyncio.create_task(_to_sleep(found, "3"))
        pid = await asleep(stage)
        async with stage.database.reading(system("a test")) as db:
            await db.execute(select(func.pg_terminate_backend(pid)))
        with pytest.raises(OutcomeUnknown):
            await task
        assert (await self.made(stage))[1] == 1

    async def test_a_connection_that_is_lost_before_anything_was_written_is_no_outcome(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, _ = await self.made(stage)
        fetch = Lane.fetch
        lost: list[str] = []

        async def cut_off(self: Lane, sql: str, values: Any) -> Any:
            if not lost and "fh_may" in sql:
                lost.append(sql)
                raise ConnectionResetError
            return await fetch(self, sql, values)

        monkeypatch.setattr(Lane, "fetch", cut_off)
        async with stage.as_user(id=ADA) as ada:
            assert (await ada.patch(path, json={"number": 4})).status_code == 200
        assert lost

    async def test_an_engine_that_begins_in_its_own_way_has_none(self, stage: Stage) -> None:
        def isolated(level: str) -> AsyncEngine:
            return create_async_engine(stage.database.engine.url, isolation_level=level)

        def told(engine: AsyncEngine) -> AsyncEngine:
            event.listen(engine.sync_engine, "checkout", lambda *_: None)
            return engine

        engine = create_async_engine(stage.database.engine.url)
        for has_one, each in (
            (True, engine),
            (True, isolated("READ COMMITTED")),
            (False, isolated("SERIALIZABLE")),
            (False, engine.execution_options(isolation_level="REPEATABLE READ")),
            (False, told(create_async_engine(stage.database.engine.url))),
        ):
            assert (open_way(each, Patience(), []) is not None) is has_one

    async def test_no_connection_to_be_had_is_no_outcome(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        way = stage.database.at_once
        assert isinstance(way, PostgresWay)

        async def none() -> None:
            raise TimeoutError

        monkeypatch.setattr(way.lanes, "lane", none)
        with pytest.raises(NotAtOnce):
            await way.turn()
        assert (await self.made(stage))[1] == 2, "it was about to be sent, and then done in a unit of its own"


TRIGGER = (
    """CREATE FUNCTION after_leaf() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN UPDATE leaves SET text = 'triggered' WHERE id = NEW.id; RETURN NULL; END $$""",
    "CREATE TRIGGER after_leaf AFTER INSERT ON leaves FOR EACH ROW EXECUTE FUNCTION after_leaf()",
)
PARTED = (
    "CREATE TABLE parted () INHERITS (leaves)",
    """CREATE FUNCTION part_leaf() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN INSERT INTO parted SELECT NEW.*; RETURN NULL; END $$""",
    "CREATE TRIGGER part_leaf BEFORE INSERT ON leaves FOR EACH ROW EXECUTE FUNCTION part_leaf()",
)
ASLEEP = text(
    "SELECT pid FROM pg_stat_activity WHERE query LIKE '%fh_asleep%' AND state = 'active' AND pid <> pg_backend_pid() "
    "AND datname = current_database()"
)


async def asleep(stage: Stage) -> int:
    """Wait until somebody sleeps; the process."""
    while True:
        async with stage.database.reading(system("a test")) as db:
            found = (await db.execute(ASLEEP)).scalar_one_or_none()
        if found is not None:
            return int(found)
        await asyncio.sleep(0.01)


async def blocked(stage: Stage) -> None:
    """Wait until somebody waits for a row."""
    asked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    while True:
        async with stage.database.reading(system("a test")) as db:
            if await db.scalar(asked):
                return
        await asyncio.sleep(0.005)


class _Sleeping:
    """A statement that takes its time."""

    def __init__(self, seconds: str) -> None:
        self.sql = f"SELECT pg_sleep({seconds}) AS fh_asleep"
        self.writes = frozenset({"slept"})
        self.many = None

    def bind(self, *_: Any) -> list[Any]:
        return []

    def describe(self, _: Any) -> None: ...

    def rows(self, found: Any) -> Any:
        return found


async def _to_sleep(found: Alone, seconds: str = "0.15") -> Any:
    return await found.write(_Sleeping(seconds), {})  # type: ignore[arg-type]
