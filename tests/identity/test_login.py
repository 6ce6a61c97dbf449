"""Logging in: one answer for everything that is wrong, and the quotas in front of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import update

from freehold.identity import Device, Identity, WrongCredentials
from freehold.identity.standings import Standings
from freehold.resource.principal import system
from freehold.traffic.limits import QuotaExceeded
from freehold.traffic.limits_memory import MemoryLimiter

pytestmark = pytest.mark.anyio

PASSWORD = "lantern quarry velvet 42"
MINUTE = 60_000_000_000


class Ticks:
    """The limiter's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 1

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
async def limited(identity: Identity, database: Any, letters: Any, people: Any, ticks: Ticks) -> Any:
    """The same identity with its quotas counted."""
    identity.parts.passwords.close()
    people.parts = identity.bind(
        database,
        secret=people.secret,
        public_url="https://imba.example",
        mailer=letters,
        limiter=MemoryLimiter(monotonic_ns=ticks),
    )
    await identity.start()
    return people


async def outcome(people: Any, email: str, password: str, address: str) -> int:
    try:
        await people.log_in(email, password, device=Device(address))
    except (WrongCredentials, QuotaExceeded) as problem:
        return problem.status
    return 200


async def test_A01_whatever_is_wrong_is_refused_alike(people: Any) -> None:
    user_id = await people.add()
    await people.add("closed@example.com")
    await people.run(people.parts.accounts.disable, (await people.find(user_id)).id)
    seen = set()
    tries = [("ada@example.com", PASSWORD), ("closed@example.com", "wrong"), ("nobody@example.com", PASSWORD)]
    for email, password in [*tries, ("", ""), ("\0", "x"), ("\ud800@example.com", "x"), ("x" * 5000, "x")]:
        with pytest.raises(WrongCredentials) as refused:
            await people.log_in(email, password)
        seen.add((str(refused.value), refused.value.problem_code, tuple(refused.value.headers.items())))
    assert len(seen) == 1


async def test_A06_an_older_hash_is_replaced_at_the_next_good_log_in(people: Any) -> None:
    user_id = await people.add()
    first = await people.log_in()
    older = Argon2Hasher(time_cost=1, memory_cost=32, parallelism=1).hash(PASSWORD)
    table = people.identity.user.__table__

    async def age(session: Any) -> None:
        await session.execute(update(table).where(table.c.id == user_id).values(password_hash=older))

    await people.run(age)
    before = await people.find(user_id)
    with pytest.raises(WrongCredentials):
        await people.log_in(password="wrong")
    assert (await people.find(user_id)).password_hash == older
    assert (await people.log_in()).access_token
    after = await people.find(user_id)
    assert "m=64,t=1" in after.password_hash
    assert (after.row_version, after.updated_at) == (before.row_version, before.updated_at)
    assert (await people.caller(first.access_token)).id == user_id, "without a log-out"
    assert (await people.log_in()).access_token


async def test_A07_ten_wrong_passwords_slow_an_account_and_lock_no_one_out(limited: Any, ticks: Ticks) -> None:
    await limited.add()
    assert await outcome(limited, "ada@example.com", PASSWORD, "192.0.2.1") == 200
    wrong = [await outcome(limited, "ada@example.com", "wrong", f"198.51.100.{n}") for n in range(12)]
    assert wrong == [401] * 10 + [429] * 2
    assert await outcome(limited, "ada@example.com", PASSWORD, "203.0.113.9") == 429, "from anywhere"
    assert await outcome(limited, "ada@example.com", PASSWORD, "192.0.2.1") == 200, "from where she logged in before"
    assert await outcome(limited, "ada@example.com", "wrong", "192.0.2.1") == 401
    ticks.now += 5 * MINUTE
    assert await outcome(limited, "ada@example.com", PASSWORD, "203.0.113.9") == 200


async def test_A07_unknown_accounts_are_counted_alike(limited: Any) -> None:
    wrong = [await outcome(limited, "nobody@example.com", "wrong", f"198.51.100.{n}") for n in range(12)]
    assert wrong == [401] * 10 + [429] * 2
    spellings = ["NOBODY@example.com", "\uff4eobody@example.com"]
    assert [await outcome(limited, email, "wrong", "203.0.113.8") for email in spellings] == [429, 429]


@pytest.mark.slow
async def test_A07_a_hundred_wrong_ones_at_once_are_no_way_round(limited: Any) -> None:
    await limited.add()
    tries = (outcome(limited, "ada@example.com", "wrong", f"198.51.{n}.1") for n in range(100))
    statuses = await asyncio.gather(*tries)
    assert statuses.count(401) == 10
    assert statuses.count(429) == 90


async def test_A07_right_passwords_do_not_count(limited: Any, ticks: Ticks) -> None:
    await limited.add()
    for number in range(15):
        assert await outcome(limited, "ada@example.com", PASSWORD, f"198.51.100.{number}") == 200
    wrong = [await outcome(limited, "ada@example.com", "wrong", f"203.0.113.{n}") for n in range(11)]
    assert wrong == [401] * 10 + [429]


async def test_A08_one_address_tries_sixty_accounts_a_minute(limited: Any, ticks: Ticks) -> None:
    statuses = [await outcome(limited, f"p{n}@example.com", "wrong", f"2001:db8::{n:x}") for n in range(100)]
    assert statuses == [401] * 60 + [429] * 40, "one /64 is one address"
    assert await outcome(limited, "p1@example.com", "wrong", "2001:db8:0:1::1") == 401
    ticks.now += MINUTE
    assert await outcome(limited, "p99@example.com", "wrong", "2001:db8::1") == 401


async def test_R05_the_sixth_try_for_an_account_from_an_address_waits(limited: Any, ticks: Ticks) -> None:
    await limited.add()
    statuses = [await outcome(limited, "ada@example.com", PASSWORD, "192.0.2.1") for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    ticks.now += MINUTE
    assert await outcome(limited, "ada@example.com", PASSWORD, "192.0.2.1") == 200


async def test_A14_closing_an_account_ends_its_log_ins_at_once(people: Any) -> None:
    user_id = await people.add()
    given = await people.log_in()
    await people.caller(given.access_token)
    await people.run(people.parts.accounts.disable, user_id)
    for use in (people.caller(given.access_token), people.parts.sessions.refresh(given.refresh_token), people.log_in()):
        with pytest.raises(Exception) as refused:
            await use
        assert getattr(refused.value, "status", None) == 401


async def test_A14_an_account_closed_while_its_password_is_hashed_is_not_let_in(people: Any) -> None:
    user_id = await people.add()
    verify = people.parts.passwords.verify

    async def meanwhile(password: str, stored: str | None) -> Any:
        verdict = await verify(password, stored)
        await people.run(people.parts.accounts.disable, user_id)
        return verdict

    people.parts.passwords.verify = meanwhile
    with pytest.raises(WrongCredentials):
        await people.log_in()


async def test_T11_T15_another_process_follows_within_two_seconds(people: Any, database: Any, monkeypatch: Any) -> None:
    user_id = await people.add()
    given = await people.log_in()
    session_id = (await people.caller(given.access_token)).session_id
    elsewhere = Standings(database, user=people.identity.user)
    seconds = [100.0]
    monkeypatch.setattr("freehold.identity.standings.time.monotonic", lambda: seconds[0])
    assert (await elsewhere.find(session_id)).roles == {"tenant"}
    await people.run(people.parts.accounts.set_roles, user_id, ["reviewer"])
    assert (await elsewhere.find(session_id)).roles == {"tenant"}
    seconds[0] += 2.01
    assert (await elsewhere.find(session_id)).roles == {"reviewer"}
    await people.run(people.parts.sessions.end, session_id, by="logout")
    seconds[0] += 2.01
    assert not (await elsewhere.find(session_id)).is_good


async def test_T11_what_was_read_before_a_log_out_is_not_remembered_after_it(
    people: Any, database: Any, monkeypatch: Any
) -> None:
    await people.add()
    given = await people.log_in()
    session_id = (await people.caller(given.access_token)).session_id
    standings = Standings(database, user=people.identity.user)
    read = standings._read

    async def late(about: Any) -> Any:
        found = await read(about)
        await people.run(people.parts.sessions.end, session_id, by="logout")
        standings.forget(session_id)
        return found

    monkeypatch.setattr(standings, "_read", late)
    assert (await standings.find(session_id)).is_good
    monkeypatch.setattr(standings, "_read", read)
    assert not (await standings.find(session_id)).is_good


async def test_T15_a_role_taken_is_gone_though_the_token_lists_it(people: Any) -> None:
    user_id = await people.add()
    given = await people.log_in()
    assert (await people.caller(given.access_token)).roles == {"tenant"}
    await people.run(people.parts.accounts.set_roles, user_id, [])
    assert (await people.caller(given.access_token)).roles == frozenset()


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Token x", "Bearer \u00e9", "Bearer x\0", "bearerx"]
)
async def test_T13_what_is_no_bearer_credential_is_refused(people: Any, header: str) -> None:
    with pytest.raises(Exception) as refused:
        await people.identity.authenticate([header])
    assert refused.value.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'  # type: ignore[attr-defined]


async def test_no_credential_is_nobody_and_two_are_refused(people: Any) -> None:
    await people.add()
    assert (await people.identity.authenticate([])).is_anonymous
    token = (await people.log_in()).access_token
    with pytest.raises(Exception) as refused:
        await people.identity.authenticate([f"Bearer {token}"] * 2)
    assert refused.value.status == 401  # type: ignore[attr-defined]


async def test_the_system_logs_nobody_in_without_an_account(people: Any) -> None:
    async with people.parts.database.reading(system("test")) as session:
        assert (await session.execute(people.identity.user.__table__.select())).all() == [], "no default account (A15)"
