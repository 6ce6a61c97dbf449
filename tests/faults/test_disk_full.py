"""F05: the disk is full, with everything on it (rows, files, what is being received, the log), and then there is room."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.faults.served import Server, people
from tests.faults.test_endings import houses
from tests.faults.test_kill import snapshot
from tests.faults.wire import crowd, request

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.faults,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small volume"),
]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A volume of 32 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(disk: Path) -> Path:
    """Take all the room that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096, 1):
            while True:
                try:
                    file.write(b"x" * size)
                except OSError:
                    break
    return filler


def upload(token: str) -> bytes:
    """A document of some size, as a form."""
    content = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\ndocument\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
        b"%PDF-1.4\n" + b"x" * 700_000 + b"\n%%EOF\r\n--b--\r\n"
    )
    head = f"POST /v1/media HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    head += f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def test_F05_a_full_disk_stops_writes_alone_and_it_heals(
    disk: Path, tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None]
) -> None:
    url = f"sqlite+aiosqlite:///{disk}/rows.db"
    server = Server(url, disk, FREEHOLD_LOG_LEVEL="info")  # its log is on that disk too
    try:
        await server.start()
        world = await people(url, disk)
        acknowledged: set[str] = set()
        with crowd(1, server.port) as (client,):

            async def write(title: str) -> int:
                answer = await client.ask(world.draft(title, key=title.replace(" ", "-")))
                acknowledged.update({title} if answer.status == 201 else ())
                return answer.status

            assert {await write(f"Full before-{n}") for n in range(20)} == {201}
            filler = fill(disk)
            statuses: Counter[int] = Counter()
            for turn in range(200):
                statuses[await write(f"Full while-{turn}")] += 1
            assert set(statuses) <= {201, 503, 507}
            assert statuses[507] + statuses[503] > 100
            refused = await client.ask(upload(world.landlord_token))
            assert refused.status in (503, 507), refused.body
            reads = [await client.ask(request("GET", "/v1/properties?limit=5")) for _ in range(20)]
            assert {answer.status for answer in reads} == {200}
            assert server.process is not None
            assert server.process.poll() is None
            filler.unlink()
            began = time.monotonic()
            while await write("Full after") != 201:
                assert time.monotonic() - began < 10
            healed = time.monotonic() - began
            assert (await client.ask(upload(world.landlord_token))).status == 201
            retried = [await write(f"Full while-{turn}") for turn in range(200)]
            assert set(retried) == {201}, "each key is free"
        assert await houses(url, "Full %") == len(acknowledged) == 221
        await snapshot(url, tmp_path)  # checks the integrity of the file
        figures(while_full=dict(statuses), **{"upload": refused.status, "healed after": f"{healed:.2f} s"})
    finally:
        server.close()
