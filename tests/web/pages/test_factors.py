"""Second factors through the pages: set up, asked for, removed (M01, M09), without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select

from freehold import Freehold, system
from freehold.identity.tables import SESSIONS
from freehold.resource import clock
from freehold.testing import Stage
from freehold.web.pages.step_cookie import STEP_COOKIE
from tests.web.pages.service import application
from tests.web.pages.visitor import EMAIL, PASSWORD, Visitor

pytestmark = pytest.mark.anyio
FACTOR = "/account/log-in/factor"
CONFIRMATION = "/account/security/totp/confirmation"


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    return application(module_database, tmp_path_factory.mktemp("var"), factor_required_for={"writer"})


class Hand:
    at = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def hand() -> Iterator[Hand]:
    moved = Hand()
    clock.set_source(lambda: moved.at)
    yield moved
    clock.set_source(None)


@pytest.fixture
async def stage(house, hand: Hand):  # type: ignore[no-untyped-def]  # after the clock is held
    async with house.stage() as found:
        yield found


def secret_in(text: str) -> str:
    found = re.search(r"<code>([A-Z2-7]{32})</code>", text)
    assert found, text
    return found[1]


def code(secret: str, hand: Hand) -> str:
    return pyotp.TOTP(secret).at(hand.at)


async def set_up(visitor: Visitor, hand: Hand) -> tuple[str, list[str]]:
    """An app for the account that is logged in; its secret, and the recovery codes."""
    await visitor.open("/account/security")
    secret = secret_in(await visitor.fill_in("/account/security/totp"))
    text = await visitor.fill_in(CONFIRMATION, code=code(secret, hand))
    codes = re.findall(r"<li><code>([^<]+)</code></li>", text)
    assert len(codes) == 10, text
    hand.forward(minutes=1)
    return secret, codes


async def test_M01_a_password_alone_opens_nothing_once_there_is_a_factor(
    stage: Stage, member: Visitor, hand: Hand
) -> None:
    secret, codes = await set_up(member, hand)
    await member.open("/account")
    await member.fill_in("/account/log-out")
    await member.log_in(to="/account/sessions")
    assert member.page.url.path == FACTOR
    before = str(member.page.url)
    await member.open("/account")
    assert member.page.url.path == "/account/log-in"
    await member.open(before)
    assert "The code is wrong" in await member.fill_in(FACTOR, code="000000")
    assert member.page.status_code == 401
    await member.fill_in(FACTOR, code=code(secret, hand))
    assert member.page.url.path == "/account/sessions"
    assert codes


async def test_a_recovery_code_once(stage: Stage, member: Visitor, hand: Hand) -> None:
    _, codes = await set_up(member, hand)
    for expected in ("/account", FACTOR):
        other = Visitor(stage.app)
        await other.log_in()
        form = next(each for each in other.forms(FACTOR) if each.fields["kind"] == "recovery_code")
        other.page = await other.client.post(FACTOR, data={**form.fields, "code": codes[0]})
        assert other.page.url.path == expected


async def test_M09_changes_ask_for_the_factor_and_the_last_stays_where_it_is_needed(
    stage: Stage, visitor: Visitor, hand: Hand
) -> None:
    await visitor.register(kind="writer")
    await visitor.log_in(to="/account/security")
    assert visitor.page.url.path == "/account/log-in/enrolment"
    form = visitor.form("/account/log-in/enrolment/totp")
    visitor.page = await visitor.client.post(form.action, data=form.fields)
    first = secret_in(visitor.page.text)
    text = await visitor.fill_in("/account/log-in/enrolment/totp/confirmation", code="000000")
    assert "The code is wrong" in text
    secret = secret_in(text)
    assert secret != first
    text = await visitor.fill_in("/account/log-in/enrolment/totp/confirmation", code=code(secret, hand))
    assert text.count("<li><code>") == 10
    assert 'href="/account/security"' in text
    await visitor.open("/account/security")
    assert "has to have a second factor" in await visitor.fill_in("/account/security/removal")
    assert visitor.page.status_code == 409
    hand.forward(minutes=6)
    await visitor.fill_in("/account/security/recovery-codes")
    assert visitor.page.url.path == FACTOR
    await visitor.fill_in(FACTOR, code=code(secret, hand))
    assert visitor.page.url.path == "/account/security"
    assert (await visitor.fill_in("/account/security/recovery-codes")).count("<li><code>") == 10


async def test_M09_a_login_from_before_the_factor_has_to_prove_it(stage: Stage, member: Visitor, hand: Hand) -> None:
    other = Visitor(stage.app)
    await other.log_in()
    secret, _ = await set_up(member, hand)
    await other.open("/account/security")
    await other.fill_in("/account/security/removal")
    assert other.page.url.path == FACTOR, "the factor was removed by a log-in that never proved it"
    await other.fill_in(FACTOR, code=code(secret, hand))
    assert "The second factor is removed." in await other.fill_in("/account/security/removal")
    await other.open("/account/security")
    assert "Add an authenticator app" in other.page.text


async def test_a_step_of_another_browser_or_of_nobody_leads_to_the_log_in(stage: Stage, visitor: Visitor) -> None:
    for path in (FACTOR, FACTOR + "?next=//evil"):
        await visitor.open(path)
        assert visitor.page.url.path == "/account/log-in"


async def test_a_log_in_by_cookie_keeps_the_scope_that_it_asked_for(stage: Stage, member: Visitor, hand: Hand) -> None:
    secret, _ = await set_up(member, hand)
    other = Visitor(stage.app)
    form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD, "scope": "books.read"}
    due = (await other.client.post("/v1/auth/token", data=form)).json()
    other.client.cookies.set(STEP_COOKIE, due["step_token"], domain="testserver.local")
    await other.open(FACTOR)
    await other.fill_in(FACTOR, code=code(secret, hand))
    async with stage.database.reading(system("test")) as session:
        newest = select(SESSIONS.c.scope).order_by(SESSIONS.c.created_at.desc()).limit(1)
        assert await session.scalar(newest) == "books.read"
    await other.open("/account")
    assert other.page.status_code == 403
