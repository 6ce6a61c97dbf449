"""200 uploads of 12-megapixel photos to one served process, while somebody else goes on reading the listings.

Measured: the memory of the service with its picture workers (proportional set size, sampled), the time in which a reader
that asks 20 times a second is answered, and how many pictures a minute are made. UPLOADS and AT_ONCE change the load.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyvips
from tests.faults.served import Server, World, people
from tests.faults.wire import Connection, Gone, request

UPLOADS = int(os.environ.get("UPLOADS", "200"))
AT_ONCE = int(os.environ.get("AT_ONCE", "8"))
RENDER_SECONDS = float(os.environ.get("RENDER_SECONDS", "240"))
WIDTH, HEIGHT = 4000, 3000
MOST_MEMORY_MB = 600
MOST_P99_MS = 250
READS_A_SECOND = 20
UNDISTURBED_SECONDS = 10  # of reading alone, to compare with
PHOTOS_OF_A_HOUSE = 50


def photo(number: int) -> bytes:
    """12 megapixels that compress as a camera's do: soft shapes under grain."""
    soft = pyvips.Image.gaussnoise(50, 40, sigma=60, mean=128, seed=number).resize(WIDTH / 50, vscale=HEIGHT / 40)
    grain = pyvips.Image.gaussnoise(WIDTH, HEIGHT, sigma=6, mean=0, seed=number + 1000)
    plane = soft + grain
    colours = plane.bandjoin([plane * 0.8 + 20, plane * 0.6 + 50]).cast("uchar").copy(interpretation="srgb")
    made: bytes = colours.jpegsave_buffer(Q=85)
    return made


def taken(folder: Path) -> list[Path]:
    """A few different photos, as files."""
    found = [folder / f"photo-{number}.jpg" for number in range(8)]
    for number, path in enumerate(found):
        path.write_bytes(photo(number))
    return found


def upload(token: str, house: Any, content: bytes) -> bytes:
    """The bytes of a request that sends a photo in."""
    fields = {"purpose": "photo", "property_id": str(house)}
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    parts.append(
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    )
    body = "".join(parts).encode() + content + b"\r\n--x--\r\n"
    head = [
        "POST /v1/media HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}",
        "Content-Type: multipart/form-data; boundary=x", f"Content-Length: {len(body)}",
    ]  # fmt: skip
    return "\r\n".join([*head, "", ""]).encode() + body


def family(pid: int) -> Iterator[int]:
    """A process, its children, and theirs."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from family(int(child))


def memory_mb(pid: int) -> float:
    """What a process and its children hold, pages that they share counted once."""
    total = 0
    for each in family(pid):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total / 1024


def cpu_of_children(pid: int) -> float:
    """Computing time of the picture workers that are running: they end when they are idle for half a minute."""
    ticks = 0
    for each in [found for found in family(pid) if found != pid]:
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Reader:
    """Asks at fixed times, whatever the last answer took."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[Connection] = []
        self.milliseconds: list[float] = []
        self.statuses: dict[int, int] = {}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._ask())
                await asyncio.sleep(1 / READS_A_SECOND)

    async def _ask(self) -> None:
        connection = self._idle.pop() if self._idle else Connection(self._port)
        began = time.perf_counter()
        asked = request("GET", "/v1/properties?limit=20")
        try:
            answer = await connection.ask(asked)
        except Gone:  # the server closes connections that were idle, as every client knows
            answer = await connection.ask(asked)
        self.milliseconds.append((time.perf_counter() - began) * 1000)
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        self._idle.append(connection)

    def figures(self) -> dict[str, Any]:
        return {
            "number": len(self.milliseconds), "statuses": self.statuses, "p50_ms": self.percentile(0.5),
            "p95_ms": self.percentile(0.95), "p99_ms": self.percentile(0.99), "worst_ms": self.percentile(1),
        }  # fmt: skip

    def percentile(self, share: float) -> float:
        ordered = sorted(self.milliseconds)
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)


async def run() -> dict[str, Any]:
    """Serve Imba on a new database, measure, and take everything away again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite+aiosqlite:///{folder}/bench.db"
        server = Server(url, folder)
        await server.start()  # makes the schema
        await server.kill()
        world = await people(url, folder, houses=-(-UPLOADS // PHOTOS_OF_A_HOUSE))
        await server.start()
        try:
            return await measured(server, world, folder)
        finally:
            server.close()


async def measured(server: Server, world: World, folder: Path) -> dict[str, Any]:
    """The figures, and how they compare with what was promised."""
    assert server.process is not None
    pid, reader, samples = server.process.pid, Reader(server.port), list[float]()
    photos = await asyncio.to_thread(taken, folder)

    async def sample() -> None:
        while True:
            samples.append(await asyncio.to_thread(memory_mb, pid))
            await asyncio.sleep(0.2)

    before, undisturbed = memory_mb(pid), Reader(server.port)
    with suppress(TimeoutError):
        await asyncio.wait_for(undisturbed.run(), UNDISTURBED_SECONDS)
    watching = [asyncio.create_task(sample()), asyncio.create_task(reader.run())]
    began = time.monotonic()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        given = (server.port, world.landlord_token, [str(house) for house in world.houses], photos)
        sent = await asyncio.get_running_loop().run_in_executor(process, send_all, *given)
    uploaded = time.monotonic() - began
    ready = await rendered(server, world, until=began + uploaded + RENDER_SECONDS)
    whole = time.monotonic() - began
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    peak, p99 = max(samples), reader.percentile(0.99)
    expected = int(whole * READS_A_SECOND * 0.8)  # fewer, and it was the reader that was measured
    return {
        "uploads": UPLOADS,
        "at_once": AT_ONCE,
        "megapixels": WIDTH * HEIGHT / 1e6,
        "photo_mb": round(sum(each.stat().st_size for each in photos) / len(photos) / 1e6, 2),
        "statuses": sent,
        "upload_seconds": round(uploaded, 1),
        "pictures_made": ready,
        "cpu_seconds_a_picture": round(cpu_of_children(pid) / ready, 2) if ready else None,
        "seconds_in_all": round(whole, 1),
        "memory_mb": {"before": round(before), "peak": round(peak)},
        "reads_before": undisturbed.figures(),
        "reads": reader.figures(),
        "targets": {
            "memory_mb": {"most": MOST_MEMORY_MB, "found": round(peak), "met": peak < MOST_MEMORY_MB},
            "read_p99_ms": {"most": MOST_P99_MS, "found": p99, "met": p99 < MOST_P99_MS},
            "uploads": {"least": UPLOADS, "found": sent.get(201, 0), "met": sent.get(201, 0) == UPLOADS},
            "reads": {"least": expected, "found": len(reader.milliseconds), "met": len(reader.milliseconds) >= expected},
        },
    }  # fmt: skip


def send_all(port: int, token: str, houses: list[str], paths: list[Path]) -> dict[int, int]:
    """Send them, so many at a time, in a process of their own: what the reader waits for is the service alone."""
    return asyncio.run(_send_all(port, token, houses, [path.read_bytes() for path in paths]))


async def _send_all(port: int, token: str, houses: list[str], photos: list[bytes]) -> dict[int, int]:
    waiting, statuses = list(range(UPLOADS)), dict[int, int]()

    async def sender() -> None:
        connection = Connection(port)
        while waiting:
            number = waiting.pop()
            sent = upload(token, houses[number // PHOTOS_OF_A_HOUSE], photos[number % len(photos)])
            answer = await connection.ask(sent)
            statuses[answer.status] = statuses.get(answer.status, 0) + 1

    await asyncio.gather(*(sender() for _ in range(AT_ONCE)))
    return statuses


async def rendered(server: Server, world: World, *, until: float) -> int:
    """Wait until every picture has been made; how many have."""
    connection = Connection(server.port)
    asked = request("GET", "/v1/media?status=ready&count=true&limit=1", token=world.landlord_token)
    made = 0
    while made < UPLOADS and time.monotonic() < until:
        made = int((await connection.ask(asked)).json["total"])
        await asyncio.sleep(1)  # another process makes them
    return made
