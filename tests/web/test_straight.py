"""Creations by prepared statements: what they leave is what a flush leaves, and what only a flush can do is left to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import JSON, Enum, ForeignKey, MetaData, Numeric, String, event, select
from sqlalchemy.orm import Mapped, mapped_column, validates

from freehold import Access, Freehold, Queries, Resource, anyone, nobody, owner, role, signed_in, system
from freehold.fields import folded, search_document
from freehold.resource.base import NAMING, new_id
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings
from freehold.store.audit import AUDIT
from freehold.store.audit_values import AUDIT_VALUES
from freehold.store.changed_rows import ChangedRows
from freehold.store.new_rows import NewRows
from freehold.store.outbox import OUTBOX, Event, Subscriptions
from freehold.store.session import ScopedSession, Session
from freehold.testing import House, Stage
from freehold.web.changing import Changing
from freehold.web.creating import Creating
from tests.web.shelf import ByName

pytestmark = pytest.mark.anyio
ADA = new_id()


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Mood(StrEnum):
    CALM = "calm"
    LOUD = "loud"


class Entry(Base):
    __tablename__ = "entries"
    title: Mapped[str] = mapped_column(String(80))
    slug: Mapped[str | None] = mapped_column(String(80), unique=True)
    mood: Mapped[Mood] = mapped_column(Enum(Mood, native_enum=False), default=Mood.CALM)
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    weight: Mapped[float | None]
    on: Mapped[date | None]
    at: Mapped[datetime | None]
    is_open: Mapped[bool] = mapped_column(default=False)
    rank: Mapped[int] = mapped_column(default=lambda: 7)
    owner_id: Mapped[UUID]
    next_id: Mapped[UUID | None] = mapped_column(ForeignKey("entries.id"))
    title_key: Mapped[str] = folded("title")
    search: Mapped[str] = search_document("title")


class Secret(Base):
    __tablename__ = "secrets"
    text: Mapped[str] = mapped_column(String(80))
    owner_id: Mapped[UUID]


class Checked(Base):
    __tablename__ = "checked"
    text: Mapped[str] = mapped_column(String(80))

    @validates("text")
    def _shout(self, _: str, value: str) -> str:
        return value.upper()


class Loose(Base):
    __tablename__ = "loose"
    more: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class Served(Base):
    __tablename__ = "served"
    text: Mapped[str] = mapped_column(String(80), server_default="from the server")


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    folder: Path = tmp_path_factory.mktemp("var")
    settings = Settings(
        env="test", var_dir=folder, database_url=module_database, secret="x" * 40, limits="off", log_level="error"
    )
    mine = owner("owner_id")
    entries = Resource(
        Entry,
        access=Access(read=anyone, create=mine, update=mine, delete=mine),
        queries=Queries(sort=["created_at"], search=["title"]),
    )
    secrets = Resource(Secret, owner="owner_id", access=Access(read=role("staff"), create=signed_in))
    checked = Resource(Checked, access=Access(read=anyone, create=signed_in, update=nobody))
    return Freehold(entries, secrets, checked, settings=settings, authenticator=ByName())


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    async with house.stage(workers=False) as found:
        yield found


@contextmanager
def by_flush(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Creations go through objects."""
    with monkeypatch.context() as patch:
        patch.setattr(Creating, "values", lambda *_: None)
        yield


CHANGES: list[dict[str, Any]] = [
    {"title": "Öl"},
    {"rank": 9, "price": "3.10", "mood": "loud", "is_open": True},
    {"slug": None, "on": None, "at": "2026-02-03T04:05:06+02:00"},
    {"rank": 7},
    {"title": "all", "slug": "other", "weight": 3},
    {},
]
DRAFTS: list[dict[str, Any]] = [
    {"title": "Äpfel & Birnen"},
    {"title": "all", "slug": "s", "mood": "loud", "price": "12.50", "weight": 1.5, "on": "2026-02-03", "rank": 3},
    {"title": "zone", "at": "2026-02-03T04:05:06+02:00", "is_open": True, "weight": 2, "price": None},
    {"title": "", "slug": None, "on": None, "at": None},
]


async def left_by(stage: Stage, draft: dict[str, Any], path: str = "entries") -> Any:
    """The answer to a creation and everything that it left, without what differs each time."""
    async with stage.as_user(id=ADA) as ada:
        answer = await ada.post(f"/v1/{path}", json=draft)
    if answer.status_code != 201:
        found = answer.json()
        return answer.status_code, found["code"], found.get("errors"), found.get("detail")
    key = answer.json()["id"]
    async with stage.database.reading(system("a test")) as db:
        model = Entry if path == "entries" else Secret
        row = dict((await db.execute(select(model.__table__).where(model.id == UUID(key)))).one()._mapping)
        record = (await db.execute(select(AUDIT).where(AUDIT.c.subject_id == key))).one()
        kept = (await db.execute(select(AUDIT_VALUES).where(AUDIT_VALUES.c.record_id == record.id))).one()
        events = len((await db.execute(select(OUTBOX).where(OUTBOX.c.key == f"{path}:{key}"))).all())
    assert answer.headers["location"] == f"/v1/{path}/{key}"
    changes = {name: change for name, (_, change) in kept.content.items()}
    is_told = "created_at" in changes and changes.pop("created_at")["from"] is None
    assert is_told
    told = dict(record._mapping)
    assert told.pop("details")["changed"] == list(kept.content)
    assert told.pop("id") == kept.record_id
    assert str(row.pop("id")) == key == told.pop("subject_id") == kept.subject_id
    for each in ("recorded_at", "request_id", "sequence", "digest"):
        told.pop(each)
    row.pop("created_at"), row.pop("updated_at")
    body = {name: value for name, value in answer.json().items() if name not in {"id", "created_at", "updated_at"}}
    tag = answer.headers.get("etag", "").partition("-")[0]
    return answer.status_code, body, tag, row, told, kept.subject_type, changes, events


@pytest.mark.parametrize("draft", DRAFTS)
async def test_it_leaves_what_a_flush_leaves(
    stage: Stage, draft: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    insert = Creating.insert

    async def counted(self: Creating, *args: Any) -> Any:
        nonlocal made
        made += 1
        return await insert(self, *args)

    monkeypatch.setattr(Creating, "insert", counted)
    async with stage.aside():
        straight = await left_by(stage, draft)
    async with stage.aside():
        with by_flush(monkeypatch):
            flushed = await left_by(stage, draft)
    assert made == 1, "one each way"
    assert straight == flushed
    assert straight[0] == 201


async def changed_by(stage: Stage, changes: dict[str, Any]) -> Any:
    """The answer to a change and everything that it left, without what differs each time."""
    async with stage.as_user(id=ADA) as ada:
        made = await ada.post("/v1/entries", json=DRAFTS[1])
        key = made.json()["id"]
        answer = await ada.patch(f"/v1/entries/{key}", json=changes, headers={"If-Match": made.headers["etag"]})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["updated_at"] != made.json()["updated_at"]) == bool(changes)
        read = await ada.get(f"/v1/entries/{key}")
    assert (read.content, read.headers["etag"]) == (answer.content, answer.headers["etag"])
    async with stage.database.reading(system("a test")) as db:
        row = dict((await db.execute(select(Entry.__table__).where(Entry.id == UUID(key)))).one()._mapping)
        query = select(AUDIT).where(AUDIT.c.subject_id == key, AUDIT.c.action == "entries.updated")
        record = (await db.execute(query)).one()
        values = select(AUDIT_VALUES.c.content).where(AUDIT_VALUES.c.record_id == record.id)
        kept = (await db.execute(values)).scalar_one_or_none()
    for each in ("id", "created_at", "updated_at"):
        row.pop(each)
    digests = set((record.details or {}).get("changed", ()))
    told = {name: change for name, (_, change) in (kept or {}).items()}
    assert digests == told.keys()
    return row, told, record.principal_id, record.system_reason, answer.headers["etag"].partition("-")[0]


@pytest.mark.parametrize("changes", CHANGES)
async def test_a_change_leaves_what_a_flush_leaves(
    stage: Stage, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []
    change = ChangedRows._params  # of both ways that need no object

    def noted(self: ChangedRows, *args: Any) -> Any:
        made.append(True)
        return change(self, *args)

    monkeypatch.setattr(ChangedRows, "_params", noted)
    async with stage.aside():
        straight = await changed_by(stage, changes)
    assert made == ([True] if changes else []), "nothing changed: an object finds that out"
    async with stage.aside():
        with monkeypatch.context() as patch:
            patch.setattr(Changing, "can", lambda *_: False)
            assert await changed_by(stage, changes) == straight


async def test_X02_Z02_a_change_is_refused_as_a_flush_refuses_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage.as_user(id=ADA) as ada:
        paths = [
            (await ada.post("/v1/entries", json={"title": each, "slug": each})).headers["location"] for each in "ab"
        ]

    async def refusals() -> list[tuple[int, str]]:
        async with stage.as_user(id=ADA) as ada, stage.as_user(id=new_id()) as eve:
            answers = [
                await eve.patch(paths[0], json={"title": "hers"}),
                await ada.patch(paths[0], json={"title": "stale"}, headers={"If-Match": '"9-x"'}),
                await ada.patch(f"/v1/entries/{new_id()}", json={"title": "nowhere"}),
                await ada.patch(paths[0], json={"slug": "b"}),
                await ada.patch(paths[0], json={"next_id": str(new_id())}),
            ]
        return [(each.status_code, each.json()["code"]) for each in answers]

    straight = await refusals()
    assert [status for status, _ in straight] == [403, 412, 404, 409, 422]
    with monkeypatch.context() as patch:
        patch.setattr(Changing, "can", lambda *_: False)
        assert await refusals() == straight
    async with stage.database.reading(system("a test")) as db:
        assert (await db.execute(select(AUDIT.c.id).where(AUDIT.c.action == "entries.updated"))).all() == []


async def test_a_breach_is_told_as_a_flush_tells_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await left_by(stage, {"title": "one", "slug": "taken"}))[0] == 201
    straight = await left_by(stage, {"title": "two", "slug": "taken"})
    with by_flush(monkeypatch):
        assert await left_by(stage, {"title": "two", "slug": "taken"}) == straight
    assert straight[0] == 409
    async with stage.database.reading(system("a test")) as db:
        assert len((await db.execute(select(AUDIT).where(AUDIT.c.action == "entries.created"))).all()) == 1


async def test_Z09_a_row_that_points_to_another_is_left_to_the_flush(stage: Stage) -> None:
    async with stage.as_user(id=ADA) as ada:
        first = (await ada.post("/v1/entries", json={"title": "one"})).json()["id"]
        linked = await ada.post("/v1/entries", json={"title": "two", "next_id": first})
        assert (linked.status_code, linked.json()["next_id"]) == (201, first)
        refused = await ada.post("/v1/entries", json={"title": "two", "next_id": str(new_id())})
        assert refused.status_code == 422


async def test_Z02_whoever_may_not_see_what_they_made_learns_its_id_alone(stage: Stage) -> None:
    async with stage.as_user(id=ADA) as ada:
        made = await ada.post("/v1/secrets", json={"text": "hush"})
    assert made.status_code == 201
    assert made.json().keys() == {"id"}
    assert "etag" not in made.headers


async def test_I02_a_retry_gets_the_first_answer(stage: Stage) -> None:
    async with stage.as_user(id=ADA) as ada:
        answers = [
            await ada.post("/v1/entries", json={"title": "once"}, headers={"Idempotency-Key": "k"}) for _ in range(2)
        ]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotent-replayed"] == "true"


async def test_a_validator_is_heard(stage: Stage) -> None:
    async with stage.as_user(id=ADA) as ada:
        assert (await ada.post("/v1/checked", json={"text": "loud"})).json()["text"] == "LOUD"


async def test_whoever_listens_to_sessions_is_heard(stage: Stage) -> None:
    seen: list[Any] = []

    def note(session: Any, *_: Any) -> None:
        seen.extend(session.new)

    event.listen(ScopedSession, "before_flush", note)
    try:
        await left_by(stage, {"title": "heard"})
    finally:
        event.remove(ScopedSession, "before_flush", note)
    assert [each.title for each in seen] == ["heard"]


async def test_whoever_waits_for_its_event_gets_it(stage: Stage) -> None:
    async def hear(_: Session, __: Event) -> None: ...

    unheard = await left_by(stage, {"title": "unheard"})
    stage.app.outbox.subscribe("entries.created", hear)
    try:
        heard = await left_by(stage, {"title": "heard"})
    finally:
        stage.database.parts[Subscriptions].discard("entries.created")
    assert (unheard[-1], heard[-1]) == (0, 1)


@pytest.mark.parametrize("model", [Checked, Loose, Served])
def test_what_is_more_than_its_columns_is_left_to_the_flush(model: Any) -> None:
    assert NewRows.of(model) is None
    assert NewRows.of(Secret) is not None


def _on(stage: Stage, *, sqlite: int, postgresql: int) -> int:
    return sqlite if stage.database.dialect_name == "sqlite" else postgresql


@pytest.mark.parametrize("key", [None, "k"])
async def test_what_each_write_may_cost(stage: Stage, key: str | None) -> None:
    """On PostgreSQL a key is locked, looked up and kept; on SQLite the lock is no statement."""
    headers: dict[str, str] = {} if key is None else {"Idempotency-Key": key}
    more = 0 if key is None else _on(stage, sqlite=2, postgresql=3)
    patching = headers and {"Idempotency-Key": "p"}
    at_most = {
        "POST /v1/entries": _on(stage, sqlite=4, postgresql=1) + more,
        "PATCH /v1/entries/{id}": _on(stage, sqlite=5, postgresql=2) + more,
        "DELETE /v1/entries/{id}": _on(stage, sqlite=4, postgresql=3),
    }
    with stage.budgets(at_most) as budgets:
        async with stage.as_user(id=ADA) as ada:
            made = await ada.post("/v1/entries", json={"title": "one"}, headers=headers)
            path, tag = made.headers["location"], made.headers["etag"]
            changed = await ada.patch(path, json={"rank": 9}, headers={"If-Match": tag, **patching})
            assert (made.status_code, changed.status_code) == (201, 200)
            assert (await ada.delete(path)).status_code == 204
    assert budgets.used == at_most, "no more, and no less: say so here where it is less"


async def test_a_text_is_compiled_once(stage: Stage) -> None:
    prepared: list[str] = []
    for title in ("one", "two"):
        before = len(stage.statements)
        await left_by(stage, {"title": title})
        prepared.append(next(each for each in stage.statements[before:] if "INTO entries" in each))
    assert prepared[0] is prepared[1], "the very text, not one like it"
