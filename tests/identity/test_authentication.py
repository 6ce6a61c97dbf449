"""How somebody logged in: in the token, in the principal, through refreshes; and roles that count with a factor alone."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.identity.conftest import SECRET, Hand, Letters, Member, People

from freehold.errors import ConfigurationError, Unauthenticated
from freehold.identity import Cost, Identity
from freehold.identity.authentication import Requirement
from freehold.resource import clock
from freehold.store.caller import Told
from freehold.store.database import Database
from freehold.traffic.limits_memory import MemoryLimiter

pytestmark = pytest.mark.anyio


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


async def test_a_log_in_by_password_says_so_and_a_refresh_does_not_make_it_younger(people: Any, hand: Hand) -> None:
    await people.add()
    first = await people.log_in()
    began = int(hand.at.timestamp())
    told = {key: claims(first.access_token)[key] for key in ("auth_time", "amr", "acr")}
    assert told == {"auth_time": began, "amr": ["pwd"], "acr": "aal1"}
    hand.forward(minutes=9)
    second = await people.parts.sessions.refresh(first.refresh_token)
    assert {key: claims(second.access_token)[key] for key in told} == told
    caller = await people.caller(second.access_token)
    assert (caller.authentication_age, caller.amr, caller.has_factor) == (540, {"pwd"}, False)


async def test_requests_of_one_second_have_one_principal_and_a_log_in_is_never_taken_for_younger(
    people: Any, hand: Hand
) -> None:
    await people.add()
    shown = f"Bearer {(await people.log_in()).access_token}"
    bearer, began = people.parts.bearer, hand.at
    first = await people.identity.authenticate([shown])
    ages = []
    for milliseconds in (1, 500, 999, 1_000, 1_001):
        hand.at = began + timedelta(milliseconds=milliseconds)
        ages.append(bearer.known(shown).authentication_age)
    assert (first.authentication_age, ages) == (0, [1, 1, 1, 1, 2])
    again = bearer.known(shown)
    assert again is bearer.known(shown)
    hand.at = began  # a clock that is set back
    assert bearer.known(shown).authentication_age == 0
    with pytest.raises(AttributeError):
        again.roles = frozenset({"admin"})
    with pytest.raises(TypeError):
        again.claims["act"] = {"sub": "somebody"}
    assert bearer.known(shown).claims == {}


async def test_who_acts_in_an_account_is_not_changed_for_the_other_requests_of_the_second(people: Any) -> None:
    user_id, actor_id = await people.add(), uuid4()
    session_id = (await people.caller((await people.log_in()).access_token)).session_id
    token, _ = await people.parts.tokens.issue(
        subject=user_id, session_id=session_id, roles=[], scope=None, not_after=clock.now() + timedelta(hours=1), actor_id=actor_id
    )  # fmt: skip
    first = await people.identity.authenticate([f"Bearer {token}"])
    with pytest.raises(TypeError):
        del first.claims["act"]
    again = people.parts.bearer.known(f"Bearer {token}")
    assert json.dumps(dict(again.claims)) == json.dumps({"act": {"sub": str(actor_id)}})
    assert Told(again, None).content["claims"] == {"act": {"sub": str(actor_id)}}


async def test_a_principal_that_is_kept_for_its_second_goes_with_its_log_in_and_its_roles(
    people: Any, hand: Hand
) -> None:
    user_id = await people.add()
    shown = f"Bearer {(await people.log_in()).access_token}"
    before = await people.identity.authenticate([shown])
    assert people.parts.bearer.known(shown) is before
    await people.run(people.parts.accounts.set_roles, user_id, ["reviewer"])
    assert people.parts.bearer.known(shown) is None
    after = await people.identity.authenticate([shown])
    assert (before.roles, after.roles, after.seen_at) == ({"tenant"}, {"reviewer"}, before.seen_at)
    await people.run(people.parts.sessions.end, after.session_id, by="logout")
    assert people.parts.bearer.known(shown) is None
    with pytest.raises(Unauthenticated):
        await people.identity.authenticate([shown])


async def test_a_role_that_asks_for_a_factor_does_not_count_without_one(
    database: Database, letters: Letters, hand: Hand
) -> None:
    identity = Identity(user=Member, factor_required_for={"reviewer"}, cost=Cost(memory_kib=64, passes=1))
    identity.bind(
        database, secret=SECRET, public_url="https://imba.example", mailer=letters, limiter=MemoryLimiter(factor=None)
    )
    await identity.start()
    people = People(identity)
    user_id = await people.add()
    given = await people.log_in()
    await people.run(people.parts.accounts.set_roles, user_id, ["reviewer", "tenant"])
    caller = await people.caller(given.access_token)
    assert (caller.roles, caller.withheld) == ({"tenant"}, {"reviewer"})
    await identity.close()


def test_a_requirement_is_of_roles_or_of_everyone() -> None:
    assert Requirement.of({"a"}).concerns(["a", "b"])
    assert not Requirement.of({"a"}).concerns(["b"])
    assert Requirement.of("everyone").concerns([])
    assert not Requirement.of(()).concerns(["a"])
    with pytest.raises(ConfigurationError, match="reviewers is none of roles"):
        Identity(user=Member, roles=("reviewer",), factor_required_for={"reviewers"})
    with pytest.raises(ConfigurationError, match="in a set, or 'everyone'"):
        Identity(user=Member, factor_required_for="reviewer")
