"""`works_app` as it is run: served by one process, worked for by others; its orders, and what became of them."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select
from tests.faults import works_app
from tests.faults.served import ROOT, Server
from tests.faults.wire import Answer, ask, request

from freehold.jobs.tables import JOBS
from freehold.resource.principal import system
from freehold.store.database import Database

TARGET = "tests.faults.works_app:app"


class Worker(Server):
    """`freehold worker` in place of `freehold serve`."""

    def _run(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "freehold.cli", "worker", TARGET, "--processes", "2", "--port", str(self.port)],
                cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip


@dataclass
class Works:
    """One server, its database, and the workers that were started for it."""

    server: Server
    database: Database
    folder: Path
    options: dict[str, str]
    workers: list[Worker] = field(default_factory=list)

    async def hire(self) -> Worker:
        """One more worker, ready."""
        url = self.database.url.render_as_string(hide_password=False)
        worker = Worker(url, self.folder, target=TARGET, **self.options)
        self.workers.append(worker)
        await worker.start()
        return worker

    async def order(self, text: str, *, key: str = "") -> Answer:
        """One order, acknowledged."""
        answer = await ask(self.server.port, request("POST", "/v1/orders", body={"text": text}, key=key))
        assert answer.status == 201, answer.body
        return answer

    async def packed(self) -> list[str]:
        """What was packed, in the order in which it was."""
        async with self.database.reading(system("test")) as session:
            return list(await session.scalars(select(works_app.EFFECTS.c.note).order_by(works_app.EFFECTS.c.id)))

    async def packed_count(self) -> int:
        """How much was."""
        async with self.database.reading(system("test")) as session:
            return await session.scalar(select(func.count()).select_from(works_app.EFFECTS)) or 0

    async def states(self) -> list[str]:
        """Of its jobs."""
        async with self.database.reading(system("test")) as session:
            return list(await session.scalars(select(JOBS.c.state).where(JOBS.c.name.like("works.%"))))


def assert_once_and_in_order(notes: list[str], sent: list[str]) -> None:
    assert Counter(notes) == Counter(sent)
    by_order = defaultdict(list)
    for note in notes:
        key, _, number = note.partition("-")
        by_order[key].append(int(number))
    assert all(numbers == sorted(numbers) for numbers in by_order.values())
