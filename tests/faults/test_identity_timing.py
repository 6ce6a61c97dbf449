"""What the clock tells about accounts (A01), and what log-ins cost the others (A13), with hashes at their full cost."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from freehold import Freehold
from freehold.settings import Settings
from freehold.web.accounts import plain_identity

pytestmark = [pytest.mark.anyio, pytest.mark.faults, pytest.mark.timeout(300)]

PASSWORD = "lantern quarry velvet 42"
TRIES = 200


@pytest.fixture
async def client(database_url: str, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A whole service, edge included, with one account and no quotas."""
    async with _service(database_url, tmp_path) as made:
        yield made


@pytest.fixture
async def concealing(database_url: str, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """The same, which tells nobody at registration whether an address has an account."""
    async with _service(database_url, tmp_path, conceal_accounts=True) as made:
        yield made


@asynccontextmanager
async def _service(database_url: str, var: Path, **given: Any) -> AsyncIterator[httpx2.AsyncClient]:
    settings = Settings(
        env="test",
        var_dir=var,
        database_url=database_url,
        limits="off",
        secret="0123456789abcdef" * 2,
        log_level="error",
        **given,
    )
    app = Freehold(title="Timing", identity=plain_identity(), settings=settings)
    transport = httpx2.ASGITransport(app)
    async with app.running(), httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as made:
        account = {"email": "known@example.com", "password": PASSWORD, "full_name": "Ada"}
        assert (await made.post("/v1/users", json=account)).status_code in (201, 202)
        yield made


async def medians(one: Callable[[int], Awaitable[Any]], other: Callable[[int], Awaitable[Any]]) -> tuple[float, float]:
    """The median time of each, taken in turns, so that a busy machine is busy for both."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(TRIES):
        for ask, seen in zip((one, other), times, strict=True):
            began = time.perf_counter()
            await ask(number)
            seen.append(time.perf_counter() - began)
    return statistics.median(times[0]), statistics.median(times[1])


async def test_A01_a_log_in_takes_as_long_for_an_unknown_account(client: httpx2.AsyncClient) -> None:
    def attempt(name: str) -> Callable[[int], Awaitable[Any]]:
        async def ask(number: int) -> None:
            form = {"grant_type": "password", "username": name.format(number), "password": "not the password"}
            assert (await client.post("/v1/auth/token", data=form)).status_code == 401

        return ask

    known, unknown = await medians(attempt("known@example.com"), attempt("nobody{}@example.com"))
    assert abs(known - unknown) < 0.1 * known, (known, unknown)


async def test_A01_asking_for_a_reset_takes_as_long_for_an_unknown_account(client: httpx2.AsyncClient) -> None:
    def attempt(name: str) -> Callable[[int], Awaitable[Any]]:
        async def ask(number: int) -> None:
            assert (await client.post("/v1/auth/reset", json={"email": name.format(number)})).status_code == 202

        return ask

    known, unknown = await medians(attempt("known@example.com"), attempt("nobody{}@example.com"))
    assert abs(known - unknown) < 0.1 * known, (known, unknown)


async def test_A01_registering_takes_as_long_for_a_taken_address_where_that_is_concealed(
    concealing: httpx2.AsyncClient,
) -> None:
    def attempt(name: str) -> Callable[[int], Awaitable[Any]]:
        async def ask(number: int) -> None:
            body = {"email": name.format(number), "password": PASSWORD, "full_name": "Ada"}
            assert (await concealing.post("/v1/users", json=body)).status_code == 202

        return ask

    taken, free = await medians(attempt("known@example.com"), attempt("new{}@example.com"))
    assert abs(taken - free) < 0.1 * free, (taken, free)


async def test_A13_a_hundred_log_ins_at_once_do_not_hold_up_the_probe(client: httpx2.AsyncClient) -> None:
    async def log_in() -> int:
        form = {"grant_type": "password", "username": "known@example.com", "password": PASSWORD}
        return (await client.post("/v1/auth/token", data=form)).status_code

    log_ins = asyncio.gather(*(log_in() for _ in range(100)))
    waits = []
    while not log_ins.done():
        began = time.perf_counter()
        assert (await client.get("/health/live")).status_code == 200
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(0.01)
    assert set(await log_ins) <= {200, 503}
    assert len(waits) > 20
    assert statistics.quantiles(waits, n=20)[-1] < 0.1, "95th percentile"
