"""F05 on PostgreSQL: the disk of its server is full, and then there is room."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from tests.faults.test_disk_full import fill
from tests.postgres_cluster import Cluster, cluster
from tests.web import replicated

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.faults,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small volume"),
]
NOTES = "/v1/replicated-notes"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A volume of 160 MiB, of which a new cluster takes a third."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", folder], check=True)
    for each in (folder, *folder.parents[:3]):
        each.chmod(0o755)  # the server runs under another account
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def server(disk: Path) -> Iterator[Cluster]:
    with cluster("-c", "max_wal_size=48MB", "-c", "min_wal_size=32MB", folder=disk) as found:
        yield found


async def test_F05_a_full_disk_of_postgresql_stops_writes_alone_and_it_heals(
    server: Cluster, disk: Path, tmp_path: Path, figures: Callable[..., None]
) -> None:
    app = replicated.make(server.url, tmp_path / "var")
    acknowledged: set[str] = set()
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:

            async def write(text: str) -> int:
                answer = await client.post(
                    NOTES, json={"text": text}, headers={"Idempotency-Key": text.replace(" ", "-")}
                )
                acknowledged.update({text} if answer.status_code == 201 else ())
                return answer.status_code

            assert {await write(f"before {number}") for number in range(20)} == {201}
            filler = fill(disk)
            statuses: Counter[int] = Counter()
            for turn in range(600):
                statuses[await write(f"while {turn}")] += 1
            assert set(statuses) <= {201, 503, 507}, statuses
            assert statuses[507] + statuses[503] > 50, statuses
            is_up = server.is_running
            if is_up:  # where its log had room no more it has ended, and a supervisor starts it again
                assert {(await client.get(NOTES)).status_code for _ in range(20)} == {200}
            filler.unlink()
            if not server.is_running:
                server.start()
            began = time.monotonic()
            while await write("after") != 201:
                assert time.monotonic() - began < 30
            healed = time.monotonic() - began
            retried = [await write(f"while {turn}") for turn in range(600)]
            assert set(retried) == {201}, "each key is free, and each answer that was given is given again"
            total = (await client.get(f"{NOTES}/counted")).json()["notes"]
    assert total == len(acknowledged) == 621
    figures(while_full=dict(statuses), server_stayed=is_up, **{"healed after": f"{healed:.2f} s"})
    with suppress(FileNotFoundError):
        filler.unlink()
