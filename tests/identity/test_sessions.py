"""Log-ins and the rotation of their refresh tokens, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text

from freehold.errors import Invalid, Unauthenticated
from freehold.identity import InvalidGrant
from freehold.identity.tables import REFRESH_TOKENS, SESSIONS
from freehold.resource.principal import system
from freehold.store.audit import AUDIT

pytestmark = pytest.mark.anyio


async def _rows(people: Any, query: Any) -> list[Any]:
    async with people.parts.database.reading(system("test")) as session:
        return list((await session.execute(query)).all())


async def test_T06_a_refresh_gives_a_new_token_and_the_old_one_is_dead(people: Any, hand: Any) -> None:
    await people.add()
    first = await people.log_in()
    second = await people.parts.sessions.refresh(first.refresh_token)
    assert second.refresh_token != first.refresh_token
    assert (await people.caller(second.access_token)).id is not None
    hand.forward(seconds=11)
    with pytest.raises(InvalidGrant):
        await people.parts.sessions.refresh(first.refresh_token)


@pytest.mark.parametrize("late", [True, False], ids=["past the grace", "successor used"])
async def test_T07_a_dead_token_used_again_ends_the_family(people: Any, hand: Any, letters: Any, late: bool) -> None:
    user_id = await people.add()
    first = await people.log_in()
    second = await people.parts.sessions.refresh(first.refresh_token)
    if late:
        hand.forward(seconds=11)
    else:
        second = await people.parts.sessions.refresh(second.refresh_token)
    letters.sent.clear()
    with pytest.raises(InvalidGrant) as refused:
        await people.parts.sessions.refresh(first.refresh_token)
    assert refused.value.status == 401
    with pytest.raises(InvalidGrant):
        await people.parts.sessions.refresh(second.refresh_token)
    for token in (first.access_token, second.access_token):
        with pytest.raises(Unauthenticated):
            await people.caller(token)
    records = await _rows(people, select(AUDIT.c.subject_id).where(AUDIT.c.action == "session.reuse_detected"))
    assert [row.subject_id for row in records] == [str(user_id)]
    assert [mail["to"] for mail in letters.sent] == ["ada@example.com"]
    assert "ended" in letters.sent[0]["subject"]


async def test_T08_fifty_refreshes_at_once_leave_one_live_family(people: Any) -> None:
    await people.add()
    first = await people.log_in()
    answers = await asyncio.gather(
        *(people.parts.sessions.refresh(first.refresh_token) for _ in range(50)), return_exceptions=True
    )
    assert all(isinstance(answer, InvalidGrant) or hasattr(answer, "access_token") for answer in answers)
    given = {answer.refresh_token for answer in answers if hasattr(answer, "refresh_token")}
    assert len(given) == 1
    unused = await _rows(people, select(REFRESH_TOKENS).where(REFRESH_TOKENS.c.used_at.is_(None)))
    assert len(unused) == 1
    assert (await people.parts.sessions.refresh(given.pop())).access_token


async def test_T08_T09_a_retry_within_the_grace_gets_the_same_answer(people: Any, hand: Any) -> None:
    await people.add()
    first = await people.log_in()
    second = await people.parts.sessions.refresh(first.refresh_token)
    hand.forward(seconds=10)
    assert await people.parts.sessions.refresh(first.refresh_token) == second
    assert await people.parts.sessions.refresh(first.refresh_token) == second
    assert (await people.parts.sessions.refresh(second.refresh_token)).access_token


async def test_T10_a_log_in_ends_after_fourteen_idle_days(people: Any, hand: Any) -> None:
    await people.add()
    first = await people.log_in()
    hand.forward(days=13, hours=23)
    second = await people.parts.sessions.refresh(first.refresh_token)
    hand.forward(days=14, seconds=1)
    with pytest.raises(InvalidGrant):
        await people.parts.sessions.refresh(second.refresh_token)


async def test_T10_sliding_never_passes_ninety_days(people: Any, hand: Any) -> None:
    await people.add()
    answer = await people.log_in()
    for _ in range(8):
        hand.forward(days=11)
        answer = await people.parts.sessions.refresh(answer.refresh_token)
    hand.forward(days=1, hours=23, minutes=55)
    answer = await people.parts.sessions.refresh(answer.refresh_token)
    assert answer.expires_in == 300, "an access token does not outlive its log-in either"
    hand.forward(minutes=5, seconds=1)
    with pytest.raises(InvalidGrant):
        await people.parts.sessions.refresh(answer.refresh_token)
    with pytest.raises(Unauthenticated):
        await people.caller(answer.access_token)


async def test_T10_I09_a_dump_of_the_database_holds_no_token(people: Any) -> None:
    await people.add()
    first = await people.log_in()
    second = await people.parts.sessions.refresh(first.refresh_token)
    dump = b""
    for table in (REFRESH_TOKENS, SESSIONS, AUDIT):
        for row in await _rows(people, select(table)):
            dump += b"|".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    assert dump
    for secret in (first.refresh_token, second.refresh_token, second.access_token, first.access_token):
        assert secret.encode() not in dump
        assert secret.removeprefix("fhr_").encode() not in dump


async def test_the_kept_answer_is_erased_once_its_successor_is_used(people: Any) -> None:
    await people.add()
    first = await people.log_in()
    second = await people.parts.sessions.refresh(first.refresh_token)
    await people.parts.sessions.refresh(second.refresh_token)
    kept = await _rows(
        people, select(REFRESH_TOKENS.c.sealed_answer).where(REFRESH_TOKENS.c.sealed_answer.is_not(None))
    )
    assert len(kept) == 1


async def test_T11_log_out_ends_that_log_in_and_no_other(people: Any) -> None:
    await people.add()
    here, there = await people.log_in(), await people.log_in()
    await people.caller(here.access_token)
    await people.run(people.parts.sessions.revoke, here.refresh_token)
    with pytest.raises(Unauthenticated):
        await people.caller(here.access_token)
    with pytest.raises(InvalidGrant):
        await people.parts.sessions.refresh(here.refresh_token)
    assert (await people.caller(there.access_token)).id
    await people.run(people.parts.sessions.revoke, there.access_token)
    with pytest.raises(InvalidGrant):
        await people.parts.sessions.refresh(there.refresh_token)
    for unknown in ("fhr_unknown", "x.y.z", ""):
        await people.run(people.parts.sessions.revoke, unknown)


async def test_T11_log_out_everywhere_ends_all(people: Any) -> None:
    user_id = await people.add()
    answers = [await people.log_in() for _ in range(3)]
    for answer in answers:
        await people.caller(answer.access_token)
    assert await people.run(people.parts.sessions.end_all, user_id, by="logout") == 3
    for answer in answers:
        with pytest.raises(Unauthenticated):
            await people.caller(answer.access_token)
        with pytest.raises(InvalidGrant):
            await people.parts.sessions.refresh(answer.refresh_token)


async def test_T11_a_password_change_ends_all_but_the_current_log_in(people: Any, letters: Any) -> None:
    user_id = await people.add()
    here, there = await people.log_in(), await people.log_in()
    keep = (await people.caller(here.access_token)).session_id
    new = await people.parts.passwords.hash("another good long phrase")
    await people.run(people.parts.accounts.change_password, user_id, new, keep=keep)
    assert (await people.caller(here.access_token)).id == user_id
    with pytest.raises(Unauthenticated):
        await people.caller(there.access_token)
    assert "password was changed" in letters.sent[-1]["subject"]
    assert (await people.log_in(password="another good long phrase")).access_token


@pytest.mark.parametrize("token", ["", "fhr_", "x" * 10_000, "fhr_" + "x" * 10_000, "fho_abc", "a.b.c", "\0", "\ud800"])
async def test_T05_what_is_no_refresh_token_is_refused_alike(people: Any, token: str) -> None:
    with pytest.raises(InvalidGrant) as refused:
        await people.parts.sessions.refresh(token)
    assert str(refused.value) == "The refresh token is not good any more."


async def test_T05_an_access_token_does_not_refresh(people: Any) -> None:
    await people.add()
    answer = await people.log_in()
    with pytest.raises(InvalidGrant):
        await people.parts.sessions.refresh(answer.access_token)
    with pytest.raises(Unauthenticated):
        await people.caller(answer.refresh_token)


async def test_O10_the_scope_narrows_on_refresh_and_never_grows(people: Any) -> None:
    await people.add()
    first = await people.log_in(scope=frozenset({"read", "write"}))
    assert first.scope == "read write"
    second = await people.parts.sessions.refresh(first.refresh_token, scope=frozenset({"read"}))
    assert (await people.caller(second.access_token)).scopes == {"read"}
    with pytest.raises(Invalid):
        await people.parts.sessions.refresh(second.refresh_token, scope=frozenset({"read", "admin"}))
    third = await people.parts.sessions.refresh(second.refresh_token)
    assert third.scope == "read write", "the log-in keeps what was granted"


async def test_old_log_ins_are_swept(people: Any, hand: Any) -> None:
    await people.add()
    await people.log_in()
    hand.forward(days=92)
    await people.log_in()
    await people.run(people.parts.sessions.sweep)
    assert len(await _rows(people, select(SESSIONS))) == 1
    assert len(await _rows(people, select(REFRESH_TOKENS))) == 1


async def test_a_log_in_shows_its_device_and_never_a_token(people: Any) -> None:
    user_id = await people.add()
    answer = await people.log_in()
    (listed,) = await people.run(people.parts.sessions.listed, user_id)
    assert (listed.address, listed.user_agent) == ("192.0.2.1", "a browser")
    assert answer.refresh_token not in str(listed)
    assert (await _rows(people, text("SELECT 1 AS one")))[0].one == 1
