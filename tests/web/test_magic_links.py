"""Log-in by a mailed link: for one browser, once, for a quarter of an hour, and no more than a password is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pyotp
import pytest
from sqlalchemy import select, update

from freehold import Freehold, Identity, UserMixin
from freehold.errors import ConfigurationError
from freehold.identity import Cost, MagicLinks
from freehold.identity.tables import ONE_TIME_TOKENS
from freehold.resource.principal import system
from freehold.settings import Settings
from freehold.store.audit import AUDIT
from freehold.testing import Clock, Stage
from tests.bases import AccountBase as Base

pytestmark = pytest.mark.anyio

PASSWORD = "lantern quarry velvet 42"
EMAIL = "ada@example.com"
LINKS = "/v1/auth/magic-links"
COOKIE = "__Host-fh_link"


class Correspondent(UserMixin, Base):
    __tablename__ = "test_link_correspondents"


class Letter:
    """What a letter says."""

    def __init__(self, message: Any) -> None:
        self.to, self.subject = str(message["to"]), str(message["subject"])
        self.text: str = message.get_body(("plain",)).get_content()


class Post:
    """A mail transport that keeps what it is given."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    async def deliver(self, message: Any) -> None:
        self.letters.append(Letter(message))


POST = Post()


@pytest.fixture(autouse=True)
def empty_post() -> None:
    POST.letters.clear()


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    settings = Settings(
        env="test", var_dir=tmp_path_factory.mktemp("var"), database_url=module_database, secret="s" * 40,
        limits="off", public_url="https://letters.example",
    )  # fmt: skip
    identity = Identity(
        user=Correspondent,
        roles=("reviewer", "admin"),
        factor_required_for={"reviewer"},
        cost=Cost(memory_kib=64, passes=1),
        magic_links=MagicLinks(),
    )
    return Freehold(identity=identity, settings=settings, mail=POST)


@pytest.fixture
async def stage(house: Any, clock: Clock) -> AsyncIterator[Stage]:
    async with house.stage() as found:
        yield found


class Browser:
    """Keeps cookies; sees the mail of the service."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        transport = httpx2.ASGITransport(app=stage.app, raise_app_exceptions=False)
        self.client = httpx2.AsyncClient(transport=transport, base_url="https://testserver")

    async def register(self, email: str = EMAIL, *, verified: bool = True) -> UUID:
        body = {"email": email, "password": PASSWORD, "full_name": "Ada Lovelace"}
        user_id = UUID((await self.client.post("/v1/users", json=body)).json()["id"])
        if verified:
            token = token_in((await letters(self.stage, email))[-1])
            answer = await self.client.post("/v1/auth/verification/confirmation", json={"token": token})
            assert answer.status_code == 204
        return user_id

    async def ask(self, email: str = EMAIL, **more: Any) -> httpx2.Response:
        return await self.client.post(LINKS, json={"email": email, **more})

    async def link(self, email: str = EMAIL, **more: Any) -> str:
        """The token of a link that was asked for here."""
        assert (await self.ask(email, **more)).status_code == 202
        return token_in((await letters(self.stage, email))[-1])

    async def open(self, token: str, *, headers: dict[str, str] | None = None, **more: Any) -> httpx2.Response:
        return await self.client.post(f"{LINKS}/confirmation", json={"token": token, **more}, headers=headers)

    async def by_password(self) -> httpx2.Response:
        form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD}
        return await self.client.post("/v1/auth/token", data=form)

    async def add_factor(self, held: dict[str, Any], clock: Clock) -> pyotp.TOTP:
        bearer = {"Authorization": f"Bearer {held['access_token']}"}
        made = await self.client.post("/v1/auth/factors/totp", json={}, headers=bearer)
        totp = pyotp.TOTP(made.json()["secret"])
        code = {"code": totp.at(clock.now())}
        answer = await self.client.post("/v1/auth/factors/totp/confirmation", json=code, headers=bearer)
        assert answer.status_code == 200, answer.text
        return totp

    async def user(self, answer: httpx2.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        found: dict[str, Any] = (await self.client.get("/v1/users/me", headers=bearer)).json()
        return found


@pytest.fixture
def browser(stage: Stage) -> Browser:
    return Browser(stage)


async def letters(stage: Stage, email: str = EMAIL) -> list[Letter]:
    """What has come to an address, the newest last."""
    await stage.app.jobs.run_pending()
    return [letter for letter in POST.letters if letter.to == email]


def token_in(letter: Letter) -> str:
    found = re.search(r"https://letters[.]example/\S+[?]token=([^&\s]+)", letter.text)
    assert found, letter.text
    return found[1]


async def trail(stage: Stage, user_id: UUID) -> list[tuple[str, Any]]:
    async with stage.database.reading(system("test")) as session:
        query = select(AUDIT.c.action, AUDIT.c.after).where(AUDIT.c.subject_id == str(user_id))
        return [(row.action, row.after) for row in await session.execute(query)]


async def test_a_link_logs_in_once_and_the_owner_is_told(stage: Stage, browser: Browser) -> None:
    user_id = await browser.register()
    token = await browser.link(return_to="/app?a=1")
    letter = (await letters(stage))[-1]
    assert f"https://letters.example/log-in?token={token}&next=%2Fapp%3Fa%3D1" in letter.text
    assert "15 minutes" in letter.text
    answer = await browser.open(token)
    assert answer.headers["cache-control"] == "no-store"
    assert (await browser.user(answer))["id"] == str(user_id)
    assert (await letters(stage))[-1].subject.endswith("You logged in by a link")
    assert "for the first time" not in (await letters(stage))[-1].text
    again = await browser.open(token)
    assert (again.status_code, again.json()["code"]) == (422, "identity.token_invalid")
    actions = await trail(stage, user_id)
    assert "user.login_link_sent" in [action for action, _ in actions]
    assert ("user.login", {"amr": ["link"]}) in actions
    assert (await browser.by_password()).status_code == 200


async def test_another_browser_cannot_use_it_and_does_not_use_it_up(stage: Stage, browser: Browser) -> None:
    await browser.register()
    token = await browser.link()
    other = Browser(stage)
    assert (await other.open(token)).status_code == 422
    await other.ask("nobody@example.com")
    assert COOKIE in other.client.cookies
    assert (await other.open(token)).status_code == 422
    other.client.cookies.set(COOKIE, "fhb_chosen", domain="testserver")
    assert (await other.open(token)).status_code == 422
    assert (await browser.open(token)).status_code == 200
    assert COOKIE not in browser.client.cookies


async def test_another_browser_is_not_told_the_answer_of_the_first(stage: Stage, browser: Browser) -> None:
    await browser.register()
    token, key = await browser.link(), {"Idempotency-Key": "one"}
    asked_with = browser.client.cookies[COOKIE]
    held = (await browser.open(token, headers=key)).json()
    assert (await Browser(stage).open(token, headers=key)).status_code == 422
    assert (await browser.open(token, headers={**key, "Cookie": f"{COOKIE}={asked_with}"})).json() == held


async def test_only_the_newest_counts_and_only_for_a_quarter_of_an_hour(browser: Browser, clock: Clock) -> None:
    await browser.register()
    first, second = await browser.link(), await browser.link()
    assert (await browser.open(first)).status_code == 422
    clock.advance(minutes=14, seconds=59)
    assert (await browser.open(second)).status_code == 200
    third = await browser.link()
    clock.advance(minutes=15, seconds=1)
    assert (await browser.open(third)).status_code == 422


async def test_of_many_at_once_one_gets_in(browser: Browser) -> None:
    await browser.register()
    token = await browser.link()
    answers = await asyncio.gather(*(browser.open(token) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200, *[422] * 9]


async def test_A01_an_unknown_address_costs_the_same_and_gets_the_same_answer(stage: Stage, browser: Browser) -> None:
    await browser.register()
    seen = []
    for email in (EMAIL, "nobody@example.com"):
        with stage.budgets({}, otherwise=50) as work:
            answer = await stage.client().post(LINKS, json={"email": email}, headers={"X-Request-ID": "same"})
        cookie = re.sub("fhb_[^;]+", "fhb_", answer.headers.pop("set-cookie"))
        changing = {name: value for name, value in answer.headers.items() if name not in ("date", "traceparent")}
        changing = {name: value for name, value in changing.items() if "id" not in name and "timing" not in name}
        seen.append((answer.status_code, answer.content, cookie, changing, dict(work.used)))
    assert seen[0] == seen[1]
    assert await letters(stage, "nobody@example.com") == []


async def test_M01_a_second_factor_is_asked_for_as_after_a_password(
    stage: Stage, browser: Browser, clock: Clock
) -> None:
    user_id = await browser.register()
    totp = await browser.add_factor((await browser.by_password()).json(), clock)
    answer = await browser.open(await browser.link())
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.factor_required")
    assert "totp" in answer.json()["factors"]
    step = {"step_token": answer.json()["step_token"], "code": totp.at(clock.now(), counter_offset=1)}
    assert (await browser.client.post("/v1/auth/totp", json=step)).status_code == 200
    assert ("user.login", {"amr": ["link", "mfa", "otp"]}) in await trail(stage, user_id)


async def test_M01_who_has_to_have_a_factor_and_has_none_sets_one_up(stage: Stage, browser: Browser) -> None:
    user_id = await browser.register()
    async with stage.database.writing(system("test")) as unit:
        await stage.app.identity.parts.accounts.set_roles(unit.session, user_id, ["reviewer"])  # type: ignore[union-attr]
    answer = await browser.open(await browser.link())
    assert answer.json()["code"] == "auth.factor_required"
    assert answer.json()["enrolment"] is True


async def test_the_first_proof_of_an_address_ends_every_way_in_of_before(
    stage: Stage, browser: Browser, clock: Clock
) -> None:
    stranger = Browser(stage)
    user_id = await stranger.register(verified=False)
    held = (await stranger.by_password()).json()
    await browser.add_factor(held, clock)
    answer = await browser.open(await browser.link())
    assert (await browser.user(answer))["email_verified_at"] is not None
    assert "for the first time" in (await letters(stage))[-1].text
    assert (await stranger.by_password()).status_code == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": held["refresh_token"]}
    assert (await stranger.client.post("/v1/auth/token", data=refresh)).status_code == 401
    bearer = {"Authorization": f"Bearer {held['access_token']}"}
    assert (await stranger.client.get("/v1/users/me", headers=bearer)).status_code == 401
    assert "user.email_verified" in [action for action, _ in await trail(stage, user_id)]


async def test_what_changes_the_account_kills_its_links(stage: Stage, browser: Browser) -> None:
    user_id = await browser.register()
    token = await browser.link()
    async with stage.database.writing(system("test")) as unit:
        await stage.app.identity.parts.accounts.disable(unit.session, user_id)  # type: ignore[union-attr]
    assert (await browser.open(token)).status_code == 422
    before = len(await letters(stage))
    assert (await browser.ask()).status_code == 202
    assert len(await letters(stage)) == before


@pytest.mark.parametrize("changed", [{"is_active": False}, {"email_key": "else@example.com"}])
async def test_a_link_is_for_an_open_account_and_the_address_that_it_went_to(
    stage: Stage, browser: Browser, changed: dict[str, Any]
) -> None:
    user_id = await browser.register()
    token = await browser.link()
    async with stage.database.writing(system("test")) as unit:
        table = Correspondent.__table__
        await unit.session.execute(update(table).where(table.c.id == user_id).values(changed))
    assert (await browser.open(token)).status_code == 422


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_C03_pages_of_others_neither_ask_nor_open(browser: Browser, headers: dict[str, str]) -> None:
    await browser.register()
    token = await browser.link()
    assert (await browser.client.post(LINKS, json={"email": EMAIL}, headers=headers)).status_code == 403
    for by_cookie in (True, False):
        refused = await browser.open(token, browser_session=by_cookie, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "auth.forged_request")
    assert (await browser.open(token, browser_session=True)).status_code == 403  # no CSRF token
    visit = (await browser.client.get("/v1/auth/browser-session")).json()
    answer = await browser.open(token, browser_session=True, headers={"X-CSRF-Token": visit["csrf_token"]})
    assert answer.status_code == 201
    assert answer.json()["is_signed_in"] is True
    assert "__Host-fh_session" in browser.client.cookies


async def test_C04_a_bearer_token_gets_no_cookie(browser: Browser) -> None:
    await browser.register()
    held = (await browser.by_password()).json()
    token = await browser.link()
    visit = (await browser.client.get("/v1/auth/browser-session")).json()
    page = {"X-CSRF-Token": visit["csrf_token"]}
    both = await browser.open(
        token, browser_session=True, headers={**page, "Authorization": f"Bearer {held['access_token']}"}
    )
    assert (both.status_code, both.json()["code"]) == (400, "auth.several_credentials")
    assert (await browser.open(token, browser_session=True, headers=page)).status_code == 201


async def test_A09_neither_link_nor_browser_stands_in_the_database(stage: Stage, browser: Browser) -> None:
    await browser.register()
    token = await browser.link()
    value = browser.client.cookies[COOKIE]
    async with stage.database.reading(system("test")) as session:
        rows = [dict(row._mapping) for row in await session.execute(select(ONE_TIME_TOKENS))]
    assert len(rows) == 1
    assert rows[0]["expires_at"] - rows[0]["created_at"] == timedelta(minutes=15)
    assert token not in str(rows)
    assert value not in str(rows)


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb"])
async def test_L05_a_link_leads_to_this_site_alone(stage: Stage, browser: Browser, wanted: str) -> None:
    await browser.register()
    await browser.link(return_to=wanted)
    assert "next=" not in (await letters(stage))[-1].text


async def test_R05_asking_has_a_limit_of_its_own(tmp_path: Path) -> None:
    settings = Settings(env="test", var_dir=tmp_path, secret="s" * 40, limits="on")
    app = Freehold(identity=Identity(user=Correspondent, magic_links=MagicLinks()), settings=settings)
    async with app.router.lifespan_context(app):
        client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://testserver")
        asked = [(await client.post(LINKS, json={"email": EMAIL})).status_code for _ in range(6)]
    assert asked == [202] * 5 + [429]


async def test_there_are_none_unless_they_are_declared(tmp_path: Path) -> None:
    app = Freehold(
        identity=Identity(user=Correspondent), settings=Settings(env="test", var_dir=tmp_path, secret="s" * 40)
    )
    assert LINKS not in app.openapi()["paths"]
    with pytest.raises(ConfigurationError, match="half an hour"):
        MagicLinks(lifetime=timedelta(hours=2))
