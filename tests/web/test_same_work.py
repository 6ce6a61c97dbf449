"""A01: the same is done for an address that has an account and for one that has none; counted, and not timed."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from freehold import Freehold, Identity, UserMixin
from freehold.identity import Cost
from freehold.identity.passwords import Passwords
from freehold.jobs.tables import JOBS
from freehold.resource.principal import system
from freehold.settings import Settings
from freehold.testing import House, Stage, opened
from tests.bases import AccountBase as Base

pytestmark = pytest.mark.anyio

PASSWORD = "lantern quarry velvet 42"
Ask = Callable[[httpx2.AsyncClient, str], Coroutine[Any, Any, httpx2.Response]]


class Neighbour(UserMixin, Base):
    __tablename__ = "test_neighbours"


@pytest.fixture(scope="module")
async def house(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    settings = Settings(
        env="test", var_dir=tmp_path_factory.mktemp("var"), database_url=module_database, secret="s" * 40,
        conceal_accounts=True,
    )  # fmt: skip
    app = Freehold(identity=Identity(user=Neighbour, cost=Cost(memory_kib=64, passes=1)), settings=settings)
    async with opened(app) as found:
        yield found


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    async with house.stage() as found:
        found.app.traffic.limiter.clear()  # type: ignore[attr-defined]
        yield found


@dataclass(frozen=True)
class Work:
    """What one request did. statements: by what they begin with and the table, so that a difference can be read."""

    status: int
    body: bytes
    headers: dict[str, str]
    hashes: int
    owed: int
    statements: Counter[str]


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for each password that is hashed or compared: both are one Argon2id."""
    found: list[str] = []
    run = Passwords._run

    async def counted(self: Passwords, work: Any) -> Any:
        found.append("hash")
        return await run(self, work)

    monkeypatch.setattr(Passwords, "_run", counted)
    return found


async def _owed(stage: Stage) -> int:
    async with stage.database.reading(system("test")) as session:
        return await session.scalar(select(func.count()).select_from(JOBS)) or 0


def _kind(statement: str) -> str:
    words = statement.split()
    return " ".join(words[:3]) if words[0] in ("INSERT", "DELETE") else words[0]


async def _work(stage: Stage, hashes: list[str], ask: Ask, email: str) -> Work:
    client, before = stage.client(), await _owed(stage)
    stage.statements.clear()
    hashes.clear()
    answer = await ask(client, email)
    ran, hashed = Counter(map(_kind, stage.statements)), len(hashes)
    own = {"x-request-id", "date"}
    headers = {name: value for name, value in answer.headers.items() if name not in own}
    body = answer.content
    if answer.status_code >= 400:
        own_words = {"request_id", "instance"}
        body = repr({name: value for name, value in answer.json().items() if name not in own_words}).encode()
    return Work(answer.status_code, body, headers, hashed, await _owed(stage) - before, ran)


async def _log_in(client: httpx2.AsyncClient, email: str) -> httpx2.Response:
    form = {"grant_type": "password", "username": email, "password": "not the password 1"}
    return await client.post("/v1/auth/token", data=form)


async def _reset(client: httpx2.AsyncClient, email: str) -> httpx2.Response:
    return await client.post("/v1/auth/reset", json={"email": email})


async def _register(client: httpx2.AsyncClient, email: str) -> httpx2.Response:
    draft = {"email": email, "password": PASSWORD, "full_name": "Bob"}
    return await client.post("/v1/users", json=draft)


async def _by_cookie(client: httpx2.AsyncClient, email: str) -> httpx2.Response:
    client.base_url = httpx2.URL("https://testserver")
    token = (await client.get("/v1/auth/browser-session")).json()["csrf_token"]
    body, sent = {"email": email, "password": "not the password 1"}, {"X-CSRF-Token": token}
    return await client.post("/v1/auth/browser-session", json=body, headers=sent)


@pytest.mark.parametrize(
    ("ask", "status", "hashed", "owed"),
    [(_log_in, 401, 1, 0), (_by_cookie, 401, 1, 0), (_reset, 202, 0, 1), (_register, 202, 1, 1)],
)
async def test_A01_an_account_makes_no_difference_to_what_is_done(
    stage: Stage, hashes: list[str], *, ask: Ask, status: int, hashed: int, owed: int
) -> None:
    assert (await _register(stage.client(), "ada@example.com")).status_code == 202
    known, unknown = [await _work(stage, hashes, ask, email) for email in ("ada@example.com", "eve@example.com")]
    assert known == unknown
    assert (known.status, known.hashes, known.owed) == (status, hashed, owed)
    assert known.statements, "they were counted"


async def test_A01_a_concealed_registration_of_a_taken_address_leaves_nothing(stage: Stage) -> None:
    assert (await _register(stage.client(), "ada@example.com")).status_code == 202
    assert (await _register(stage.client(), "ADA@example.com")).status_code == 202
    async with stage.database.reading(system("test")) as session:
        assert list(await session.scalars(select(Neighbour.email))) == ["ada@example.com"]
    for password, status in ((PASSWORD, 200), ("not the password 1", 401)):
        form = {"grant_type": "password", "username": "ada@example.com", "password": password}
        assert (await stage.client().post("/v1/auth/token", data=form)).status_code == status


async def test_A01_A07_nor_once_too_much_was_tried(stage: Stage, hashes: list[str]) -> None:
    assert (await _register(stage.client(), "ada@example.com")).status_code == 202
    emails = ("ada@example.com", "eve@example.com")
    limiter = stage.app.identity.parts.throttle  # type: ignore[union-attr]
    for email in emails:
        for _ in range(10):
            await limiter.try_password(email)
    known, unknown = [await _work(stage, hashes, _log_in, email) for email in emails]
    known.headers.pop("ratelimit"), unknown.headers.pop("ratelimit")
    known.headers.pop("retry-after"), unknown.headers.pop("retry-after")
    assert known == unknown
    assert (known.status, known.hashes) == (429, 0)
