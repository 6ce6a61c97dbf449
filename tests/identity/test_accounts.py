"""Accounts, below HTTP, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from freehold.errors import ConfigurationError, Invalid, NotFound
from freehold.identity import EmailTaken, Identity, one_time
from freehold.identity.emails import email_key, login_key, parse_email
from freehold.identity.tables import ONE_TIME_TOKENS, SESSIONS
from freehold.resource.base import Base, new_id
from freehold.resource.principal import system
from freehold.store.audit import AUDIT

pytestmark = pytest.mark.anyio


async def test_A11_registrations_at_once_give_one_account(people: Any) -> None:
    spellings = ["ada@example.com", "ADA@Example.com", "\uff41da@example.com", "Ada@example.com"] * 5
    answers = await asyncio.gather(*(people.add(email) for email in spellings), return_exceptions=True)
    assert sum(isinstance(answer, EmailTaken) for answer in answers) == 19


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("ada@example.com", "ADA@EXAMPLE.COM", True),
        ("stra\u00dfe@example.com", "STRASSE@example.com", True),
        ("\ufb01sh@example.com", "fish@example.com", True),
        ("e\u0301a@example.com", "\u00e9a@example.com", True),
        ("\u212aim@example.com", "kim@example.com", True),
        ("ada@example.com", "ada@example.org", False),
        ("ada+x@example.com", "ada@example.com", False),
    ],
)
def test_A11_addresses_that_look_alike_are_one(one: str, other: str, are_one: bool) -> None:
    assert (email_key(one) == email_key(other)) is are_one
    assert email_key(email_key(one)) == email_key(one)


@pytest.mark.parametrize(
    "wrong", ["", "a", "a@", "@b.c", "a b@c.de", "a@b", "a@b..c", "a@localhost", "x" * 250 + "@b.cd", "a\0@b.cd"]
)
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="e-mail"):
        parse_email(wrong)
    assert "\0" not in login_key(wrong)


async def test_a_service_column_and_its_hook_are_written(people: Any) -> None:
    user = await people.find(await people.add(phone="+100", account="landlord"))
    assert (user.phone, user.roles, user.full_name) == ("+100", ["landlord"], "Ada Lovelace")


async def test_A09_of_twenty_who_use_one_link_at_once_one_succeeds(people: Any) -> None:
    user_id = await people.add()
    token = await people.run(one_time.issue, user_id=user_id, purpose=one_time.RESET, email_key="ada@example.com")
    tries = (people.run(one_time.redeem, token, purpose=one_time.RESET) for _ in range(20))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, one_time.Proof) for answer in answers) == 1
    assert sum(isinstance(answer, Invalid) for answer in answers) == 19


async def test_A09_a_link_lasts_thirty_minutes_and_is_for_one_purpose(people: Any, hand: Any) -> None:
    user_id = await people.add()
    token = await people.run(one_time.issue, user_id=user_id, purpose=one_time.RESET, email_key="ada@example.com")
    with pytest.raises(Invalid):
        await people.run(one_time.find, token, purpose=one_time.VERIFICATION)
    hand.forward(minutes=29, seconds=59)
    assert (await people.run(one_time.find, token, purpose=one_time.RESET)).user_id == user_id
    hand.forward(seconds=2)
    with pytest.raises(Invalid):
        await people.run(one_time.redeem, token, purpose=one_time.RESET)


async def test_a_verification_link_proves_only_the_address_it_was_mailed_to(people: Any, letters: Any) -> None:
    user_id = await people.add()
    token = letters.token()
    user = await people.find(user_id)

    async def move(session: Any) -> None:
        row = await people.parts.accounts.get(session, user_id)
        row.set_email("ada@other.example")

    await people.run(move)
    with pytest.raises(Invalid):
        await people.run(people.parts.accounts.verify, token)
    assert user.email_verified_at is None


async def test_A09_a_reset_link_of_a_closed_account_is_dead(people: Any, letters: Any) -> None:
    user_id = await people.add()
    await people.run(people.parts.accounts.send_reset, "ada@example.com", unless_fresh=False)
    token = letters.token()
    await people.run(people.parts.accounts.disable, user_id)
    with pytest.raises(Invalid):
        await people.run(people.parts.accounts.reset_password, token, "hash")
    before = len(letters.sent)
    for key in ("ada@example.com", "nobody@example.com"):
        await people.run(people.parts.accounts.send_reset, key, unless_fresh=False)
    assert len(letters.sent) == before


async def test_an_erased_account_keeps_its_row_and_nothing_personal(people: Any) -> None:
    user_id = await people.add(phone="+100")
    await people.log_in()
    await people.run(people.parts.personal_data.erase, user_id)
    user = await people.find(user_id)
    assert (user.email, user.email_key) == (f"{user_id}@deleted.invalid",) * 2
    assert (user.full_name, user.phone, user.password_hash, user.roles) == ("", None, None, [])
    assert user.deleted_at is not None
    async with people.parts.database.writing(system("test")) as unit:
        for table in (SESSIONS, ONE_TIME_TOKENS):
            assert (await unit.session.execute(select(table))).all() == []
        trail = str((await unit.session.execute(select(AUDIT))).all())
    assert not [word for word in ("ada@", "lovelace", "+100") if word in trail.lower()]
    assert await people.add() != user_id


async def test_roles_are_recorded_before_and_after(people: Any) -> None:
    user_id = await people.add()
    await people.run(people.parts.accounts.set_roles, user_id, ["reviewer", "admin", "admin"])
    async with people.parts.database.reading(system("test")) as session:
        row = (await session.execute(select(AUDIT).where(AUDIT.c.action == "user.roles_set"))).one()
    assert (row.before, row.after) == ({"roles": ["tenant"]}, {"roles": ["admin", "reviewer"]})


async def test_what_is_not_there_is_not_found(people: Any) -> None:
    accounts, held, nobody = people.parts.accounts, people.parts.personal_data, new_id()
    for work in (accounts.disable, accounts.enable, held.erase, held.export):
        with pytest.raises(NotFound):
            await people.run(work, nobody)
    with pytest.raises(NotFound):
        await people.run(accounts.set_roles, nobody, [])


async def test_A15_a_short_secret_stops_the_start(people: Any, database: Any, letters: Any) -> None:
    with pytest.raises(ConfigurationError, match="FREEHOLD_SECRET") as refused:
        people.identity.bind(
            database,
            secret="x" * 31,
            public_url="https://imba.example",
            mailer=letters,
            limiter=people.parts.throttle.limiter,
        )
    assert "x" * 31 not in str(refused.value)


def test_a_user_model_without_the_mixin_is_a_mistake() -> None:
    class Stranger(Base):
        __tablename__ = "test_strangers"

    with pytest.raises(ConfigurationError, match="UserMixin"):
        Identity(user=Stranger)  # type: ignore[arg-type]
    Base.metadata.remove(Stranger.__table__)  # type: ignore[arg-type]


async def test_who_may_give_roles(people: Any) -> None:
    member = people.identity.user
    assert Identity(user=member, staff_roles=("admin", "reviewer")).admin_roles == ("admin",)
    assert Identity(user=member, staff_roles=("librarian",)).admin_roles == ("librarian",)
