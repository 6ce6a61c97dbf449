"""How long log-in, reset and a concealed registration take for addresses with an account and without (A01: under 10 % apart).

In process on SQLite, with passwords hashed at their full cost. The two kinds take turns, so that a machine that is busy is busy
for both; the noise is the difference between the medians of one kind's own halves.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import httpx2

from freehold import Freehold, Identity, UserMixin
from freehold.resource.base import Base
from freehold.settings import Settings
from freehold.testing import opened

TRIES = 200
LARGEST_PERCENT = 10
PASSWORD = "lantern quarry velvet 42"  # noqa: S105 (of made-up people)
Ask = Callable[[httpx2.AsyncClient, str], Awaitable[httpx2.Response]]


class Resident(UserMixin, Base):
    """An account."""

    __tablename__ = "bench_residents"


async def run() -> dict[str, Any]:
    """Measure each."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        settings = Settings(
            env="test", var_dir=path, database_url=f"sqlite+aiosqlite:///{path}/times.db", secret="s" * 40, limits="off",
            conceal_accounts=True,
        )  # fmt: skip
        app = Freehold(identity=Identity(user=Resident), settings=settings)
        async with opened(app) as house, house.stage(isolate=False, workers=False) as stage, stage.client() as client:
            await _register(client, "known@example.com")
            found = {name: await _compared(client, ask) for name, ask in _WAYS.items()}
    targets = {
        name: {"most": LARGEST_PERCENT, "found": each["apart_percent"], "met": each["apart_percent"] < LARGEST_PERCENT}
        for name, each in found.items()
    }
    return {"tries_each_way": TRIES, **found, "targets": targets}


async def _compared(client: httpx2.AsyncClient, ask: Ask) -> dict[str, float]:
    known, unknown = [], []
    for number in range(TRIES):
        known.append(await _timed(client, ask, "known@example.com"))
        unknown.append(await _timed(client, ask, f"{ask.__name__}-{number}@example.com"))
    halves = [abs(median(each[::2]) - median(each[1::2])) for each in (known, unknown)]
    middle = median(known), median(unknown)
    return {
        "known_ms": round(middle[0], 3),
        "unknown_ms": round(middle[1], 3),
        "apart_ms": round(abs(middle[0] - middle[1]), 3),
        "noise_ms": round(max(halves), 3),
        "apart_percent": round(100 * abs(middle[0] - middle[1]) / min(middle), 2),
    }


async def _timed(client: httpx2.AsyncClient, ask: Ask, email: str) -> float:
    begin = time.perf_counter()
    answer = await ask(client, email)
    took = (time.perf_counter() - begin) * 1000
    assert answer.status_code in (202, 401), answer.text
    return took


async def _log_in(client: httpx2.AsyncClient, email: str) -> httpx2.Response:
    form = {"grant_type": "password", "username": email, "password": "not the password 1"}
    return await client.post("/v1/auth/token", data=form)


async def _reset(client: httpx2.AsyncClient, email: str) -> httpx2.Response:
    return await client.post("/v1/auth/reset", json={"email": email})


async def _register(client: httpx2.AsyncClient, email: str) -> httpx2.Response:
    draft = {"email": email, "password": PASSWORD, "full_name": "Bob"}
    return await client.post("/v1/users", json=draft)


_WAYS: dict[str, Ask] = {"log_in": _log_in, "reset": _reset, "register": _register}
