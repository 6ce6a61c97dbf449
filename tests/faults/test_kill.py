"""F01, I07: the server is killed with SIGKILL while sixteen clients write, again and again.

Every client gives each write a key and repeats it until it is acknowledged, as a careful client does. What must hold is
looked up at the moment of the kill (on SQLite in a copy of the files, so that the next start finds them as they were
left) and once more at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from services.imba.properties.models import Property
from services.imba.reservations.models import Reservation
from sqlalchemy import make_url, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from tests.faults.served import Server, World, people, rounds
from tests.faults.wire import Answer, Connection, Gone, ask

from freehold.jobs.tables import JOBS
from freehold.resource.principal import Principal
from freehold.store.audit import AUDIT
from freehold.store.idempotency import IDEMPOTENCY, Claim
from freehold.store.outbox import OUTBOX

pytestmark = pytest.mark.anyio

LISTENING = "tests.faults.killed_app:app"
WRITERS = 16


@dataclass
class Writer:
    """One careful client. Even ones list houses, odd ones book nights; each night is asked for by one write only."""

    number: int
    world: World
    port: int
    acknowledged: dict[str, str] = field(default_factory=dict)  # key: id of the row
    repeated: int = 0
    replayed: int = 0
    surprises: list[str] = field(default_factory=list)
    longest_in_flight: float = 0.0

    async def write(self, stop: asyncio.Event) -> None:
        """One write after the other; none is left open at the end."""
        turn = 0
        connection = Connection(self.port)
        try:
            while not stop.is_set():
                await self._carry_through(connection, turn)
                turn += 1
        finally:
            connection.hang_up()

    async def _carry_through(self, connection: Connection, turn: int) -> None:
        key = f"writer-{self.number}-{turn}"
        sent = self._request(key, turn)
        refused_since: float | None = None
        while True:
            try:
                answer = await connection.ask(sent)
            except Gone:
                self.repeated += 1
                await asyncio.sleep(0.02)
                continue
            if answer.code == "idempotency.in_flight":  # timed: a key must not stay with a process that is gone
                refused_since = refused_since or time.monotonic()
                self.longest_in_flight = max(self.longest_in_flight, time.monotonic() - refused_since)
                await asyncio.sleep(0.02)
                continue
            self._note(key, answer)
            return

    def _request(self, key: str, turn: int) -> bytes:
        if self.number % 2 == 0:
            return self.world.draft(key, key=key)
        return self.world.stay(self.number // 2, self.number // 2, turn, key=key)

    def _note(self, key: str, answer: Answer) -> None:
        if answer.status != 201:
            self.surprises.append(f"{key}: {answer.status} {answer.body!r}")
            return
        self.acknowledged[key] = answer.json["id"]
        self.replayed += answer.headers.get("idempotent-replayed") == "true"

    @property
    def principal(self) -> UUID:
        return self.world.landlord if self.number % 2 == 0 else self.world.tenants[self.number // 2]

    def record_id(self, key: str) -> bytes:
        """What the record of a key is stored under."""
        return Claim(key, Principal(id=self.principal), b"").id


@dataclass
class State:
    """What the database holds of the writers' work, in one snapshot: ids of rows, and what belongs to each."""

    houses: dict[str, list[str]]  # title: ids
    stays: set[str]
    audited: Counter[str]
    announced: Counter[str]
    mailed: int
    kept: dict[bytes, str | None]  # id of the idempotency record: id of the row

    @property
    def rows(self) -> set[str]:
        return self.stays | {row for found in self.houses.values() for row in found}

    @classmethod
    async def read(cls, connection: AsyncConnection) -> State:
        houses: dict[str, list[str]] = {}
        for title, row in await connection.execute(
            select(Property.title, Property.id).where(Property.title.like("writer-%"))
        ):
            houses.setdefault(title, []).append(str(row))
        audited = select(AUDIT.c.subject_id).where(AUDIT.c.action.in_(["properties.created", "reservations.created"]))
        announced = select(OUTBOX.c.key).where(OUTBOX.c.type.in_(["properties.created", "reservations.created"]))
        mails = select(JOBS.c.id).where(JOBS.c.name == "freehold.mail.send")
        kept = await connection.execute(select(IDEMPOTENCY.c.id, IDEMPOTENCY.c.subject_id))
        return cls(
            houses,
            {str(row) for row in await connection.scalars(select(Reservation.id))},
            Counter((await connection.scalars(audited)).all()),
            Counter(key.partition(":")[2] for key in await connection.scalars(announced)),
            len((await connection.scalars(mails)).all()),
            {row.id: str(row.subject_id) if row.subject_id else None for row in kept},
        )

    def judge(self, writers: list[Writer], acknowledged: dict[str, str]) -> None:
        """Nothing lost, nothing doubled, nothing half done."""
        lost = set(acknowledged.values()) - self.rows
        assert not lost, f"acknowledged and not there: {lost}"
        doubled = [title for title, found in self.houses.items() if len(found) > 1]
        assert not doubled
        whole = Counter(self.rows)
        assert self.audited == whole
        assert self.announced == whole
        assert Counter(self.kept.values()) == whole
        assert self.mailed == len(self.stays)  # each booking owes the landlord one mail
        ids = {writer.record_id(key): key for writer in writers for key in writer.acknowledged}
        for record, key in ids.items():
            if key in acknowledged:
                assert self.kept[record] == acknowledged[key]


async def snapshot(url: str, folder: Path) -> State:
    """The state at this moment; SQLite's from a copy, whose integrity is checked."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        copy = folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for ending in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(f"{parsed.database}{ending}", copy / f"copy.db{ending}")
        url = f"sqlite+aiosqlite:///{copy}/copy.db"
    engine = create_async_engine(url, isolation_level="SERIALIZABLE")
    try:
        async with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                assert await connection.scalar(text("PRAGMA integrity_check")) == "ok"
            return await State.read(connection)
    finally:
        await engine.dispose()


def acknowledged_by(writers: list[Writer]) -> dict[str, str]:
    return {key: row for writer in writers for key, row in writer.acknowledged.items()}


async def replay(writers: list[Writer]) -> int:
    """Ask for the last write of each once more: the first answer again, and no second effect. How many."""
    for writer in writers:
        key, row = list(writer.acknowledged.items())[-1]
        connection = Connection(writer.port)
        answer = await connection.ask(writer._request(key, int(key.rpartition("-")[2])))
        connection.hang_up()
        assert (answer.status, answer.json["id"]) == (201, row)
        assert answer.headers["idempotent-replayed"] == "true"
    return len(writers)


@rounds("FREEHOLD_TEST_KILL_ROUNDS", 25, light=1)
async def test_F01_I07_killed_under_write_load(
    database_url: str, tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None], rounds: int
) -> None:
    with_schema = serve(database_url)
    await with_schema.start()
    await with_schema.kill()
    server = serve(database_url, target=LISTENING, KILL_FILE=str(tmp_path / "never"))
    await server.start()
    world = await people(database_url, tmp_path, tenants=WRITERS // 2, houses=WRITERS // 2)
    writers = [Writer(number, world, server.port) for number in range(WRITERS)]
    stop = asyncio.Event()
    starts = []
    async with asyncio.TaskGroup() as group:
        for writer in writers:
            group.create_task(writer.write(stop))
        for _ in range(rounds):
            before = len(acknowledged_by(writers))
            while len(acknowledged_by(writers)) < before + 2 * WRITERS:  # noqa: ASYNC110  # sixteen writers make it true
                await asyncio.sleep(0.01)
            await asyncio.sleep(random.uniform(0, 0.5))
            await server.kill()
            told = acknowledged_by(writers)
            (await snapshot(database_url, tmp_path)).judge(writers, told)
            starts.append(await server.start())
        stop.set()
    told = acknowledged_by(writers)
    replayed = await replay(writers)
    assert [writer.surprises for writer in writers] == [[]] * WRITERS
    final = await snapshot(database_url, tmp_path)
    final.judge(writers, told)
    assert final.rows == set(told.values()), "every write that was begun was carried through, once"
    longest_in_flight = max(writer.longest_in_flight for writer in writers)
    assert longest_in_flight < 1, "a key that was held by the dead process is free"
    if rounds > 1:
        figures(
            rounds=rounds,
            acknowledged=len(told),
            lost=0,
            doubled=0,
            **{"half done": 0, "keys stuck": 0},
            repeats=sum(writer.repeated for writer in writers),
            **{"repeats that met their first answer": sum(writer.replayed for writer in writers)},
            **{"replayed at the end": replayed},
            **{"longest in flight": f"{longest_in_flight:.3f} s", "slowest start": f"{max(starts):.2f} s"},
        )


@rounds("FREEHOLD_TEST_KILL_POINT_ROUNDS", 10)
@pytest.mark.parametrize("point", ["begun", "written", "committed"])
async def test_I07_killed_at_a_chosen_point_of_a_write(
    database_url: str,
    tmp_path: Path,
    serve: Callable[..., Server],
    figures: Callable[..., None],
    *,
    point: str,
    rounds: int,
) -> None:
    with_schema = serve(database_url)
    await with_schema.start()
    world = await people(database_url, tmp_path)
    await with_schema.kill()
    armed = tmp_path / "armed"
    server = serve(database_url, target=LISTENING, KILL_FILE=str(armed))
    waits = []
    await server.start()
    for round_ in range(rounds):
        sent = world.draft(f"writer-{round_}", key=f"key-{round_}")
        armed.write_text(point)
        with pytest.raises(Gone):
            await ask(server.port, sent)
        assert await server.ended(10) == -signal.SIGKILL
        left = (await snapshot(database_url, tmp_path)).houses
        assert len(left.get(f"writer-{round_}", [])) == (point == "committed")
        await server.start()
        answer = await ask(server.port, sent)
        assert answer.status == 201, answer.body
        assert ("idempotent-replayed" in answer.headers) is (point == "committed")
        waits.append(answer.seconds)
    found = await snapshot(database_url, tmp_path)
    assert {title: len(ids) for title, ids in found.houses.items()} == {f"writer-{n}": 1 for n in range(rounds)}
    assert found.audited == found.announced == Counter(found.rows) == Counter(found.kept.values())
    figures(rounds=rounds, effects=rounds, **{"keys stuck": 0, "longest retry": f"{max(waits):.3f} s"})
