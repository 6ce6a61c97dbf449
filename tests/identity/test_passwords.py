"""Hashing: what it makes, what counts, and what happens when too many want it."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Iterator

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher
from tests.waiting import until

from freehold.errors import Unavailable
from freehold.identity.passwords import WRONG, Cost, Passwords

pytestmark = pytest.mark.anyio

QUICK = Cost(memory_kib=64, passes=1)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(cost=QUICK)
    yield made
    made.close()


async def test_A06_the_default_is_argon2id_with_19_mib_two_passes_and_a_salt_each() -> None:
    passwords = Passwords()
    first, second = await passwords.hash("one password"), await passwords.hash("one password")
    passwords.close()
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second


async def test_A06_a_hash_with_older_parameters_comes_with_its_replacement(passwords: Passwords) -> None:
    older = Argon2Hasher(time_cost=1, memory_cost=32, parallelism=1).hash("the password")
    verdict = await passwords.verify("the password", older)
    assert verdict.ok
    assert verdict.replacement is not None
    assert "m=64,t=1" in verdict.replacement
    assert (await passwords.verify("the password", verdict.replacement)) == type(verdict)(ok=True)
    assert await passwords.verify("another", older) == WRONG


async def test_A05_nfc_and_nfd_are_one_password_and_all_else_counts(passwords: Passwords) -> None:
    password = "Påssword with a ñ and 한글 " * 4
    stored = await passwords.hash(password)
    for form in ("NFC", "NFD"):
        assert (await passwords.verify(unicodedata.normalize(form, password), stored)).ok
    for wrong in (password.lower(), password[:-1], password + "\0", password[:73], password + " ", "\ud800", ""):
        assert await passwords.verify(wrong, stored) == WRONG


async def test_A05_what_comes_after_a_nul_counts(passwords: Passwords) -> None:
    stored = await passwords.hash("before\0after")
    assert (await passwords.verify("before\0after", stored)).ok
    assert not (await passwords.verify("before\0other", stored)).ok
    assert not (await passwords.verify("before", stored)).ok


async def test_no_account_and_no_hash_verify_to_wrong(passwords: Passwords) -> None:
    for stored in (None, "", "!", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$broken"):
        assert await passwords.verify("whatever it is", stored) == WRONG


async def test_a_password_longer_than_any_policy_costs_no_more(passwords: Passwords) -> None:
    stored = await passwords.hash("x" * 1024)
    assert await passwords.verify("x" * 1025, stored) == WRONG
    assert await passwords.verify("x" * 10_000_000, stored) == WRONG


async def test_A13_past_the_queue_it_is_503_with_retry_after() -> None:
    passwords = Passwords(cost=Cost(memory_kib=4096, passes=2), workers=1, queue=3)
    answers = await asyncio.gather(*(passwords.hash("p") for _ in range(10)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Unavailable)]
    assert len(refused) == 6
    assert all(int(problem.headers["Retry-After"]) >= 1 for problem in refused)
    assert await passwords.hash("again")
    passwords.close()


async def test_A13_the_loop_goes_on_while_passwords_are_hashed() -> None:
    passwords = Passwords(workers=1)
    hashing = asyncio.gather(*(passwords.hash("p") for _ in range(4)))
    beats = 0
    while not hashing.done():
        await asyncio.sleep(0.001)
        beats += 1
    await hashing
    passwords.close()
    assert beats > 4, "the loop would have turned once for each hash, had it been held up"


async def test_a_caller_who_leaves_still_occupies_its_place() -> None:
    passwords = Passwords(cost=Cost(memory_kib=8192, passes=3), workers=1, queue=1)
    task = asyncio.create_task(passwords.hash("p"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    waiting = asyncio.create_task(passwords.hash("q"))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await passwords.hash("r")
    assert await waiting
    await until(lambda: not passwords._waiting)
    passwords.close()
