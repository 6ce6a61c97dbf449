"""Log-in by other providers: L01 to L05, against servers that speak their protocols."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Freehold, Identity, UserMixin, system
from freehold.identity import Cost, UserCreate
from freehold.identity.factors.tables import PASSKEYS
from freehold.identity.returning import return_path
from freehold.identity.social import GitHub, OpenId
from freehold.identity.social import key_set as keys
from freehold.identity.social.tables import LINKED_IDENTITIES, LOGIN_ATTEMPTS
from freehold.resource import clock
from freehold.settings import Settings
from freehold.store.audit import AUDIT
from freehold.testing import House, Stage, opened
from tests.web.idp import CLIENT, SECRET, GitHubSite, Issuer
from tests.web.office import Base, Post

pytestmark = pytest.mark.anyio
PASSWORD = "lantern quarry velvet 42"


class Guest(UserMixin, Base):
    __tablename__ = "social_guests"
    account: Mapped[str | None] = mapped_column(String(20), default=None)


class GuestCreate(UserCreate):
    account: str = "tenant"


@dataclass
class World:
    """The servers, and the application that knows them."""

    issuer: Issuer
    other: Issuer
    github: GitHubSite
    house: House
    providers: list[Any]


@pytest.fixture(scope="module")
async def world(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    issuer, other, github = Issuer(), Issuer(), GitHubSite()
    async with issuer.running(), other.running(), github.running():
        providers = [
            OpenId("acme", issuer.url, CLIENT, SECRET, title="Acme"),
            OpenId("other", other.url, CLIENT, SECRET),
            GitHub(CLIENT, SECRET, url=github.url),
        ]
        settings = Settings(
            env="test", var_dir=tmp_path_factory.mktemp("social"), database_url=module_database, secret="x" * 40,
            limits="off", log_level="error", public_url="http://testserver",
        )  # fmt: skip
        app = Freehold(
            identity=Identity(user=Guest, create=GuestCreate, log_in_by=providers, cost=Cost(memory_kib=64, passes=1)),
            settings=settings, mail=Post(),
        )  # fmt: skip
        async with opened(app) as house:
            yield World(issuer, other, github, house, providers)


@pytest.fixture
async def stage(world: World) -> AsyncIterator[Stage]:
    for site in (world.issuer, world.other):
        site.forget()
    world.github.emails = [{"email": "ada@example.org", "primary": True, "verified": True}]
    for each in world.providers[:2]:
        each._read_at, each._keys = float("-inf"), keys.KeySet()
    async with world.house.stage(isolate=False, workers=False) as found:
        yield found


class Browser:
    """A browser of one person. It keeps cookies, and goes where it is sent."""

    def __init__(self, stage: Stage) -> None:
        # Secure cookies travel over https alone, save to this machine, which the jar does not know.
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(stage.app, raise_app_exceptions=False), base_url="https://testserver"
        )
        self.cookie = ""

    async def begin(self, name: str = "acme", **body: Any) -> str:
        answer = await self.client.post(f"/v1/auth/providers/{name}/attempts", json=body, headers=self._sent())
        assert answer.status_code == 200, answer.text
        return self._kept(answer)

    async def link(self, bearer: dict[str, str], name: str = "acme") -> httpx2.Response:
        return await self.client.post(
            "/v1/auth/identities", json={"provider": name, "return_to": "/app"}, headers={**bearer, **self._sent()}
        )

    def keep(self, answer: httpx2.Response) -> str:
        return self._kept(answer)

    async def back(self, parameters: dict[str, str], name: str = "acme") -> httpx2.Response:
        return await self.client.get(
            f"/v1/auth/providers/{name}/callback", params=parameters, headers=self._sent(), follow_redirects=False
        )

    async def tokens(self, **headers: str) -> httpx2.Response:
        return await self.client.post("/v1/auth/providers/token", headers={**self._sent(), **headers})

    async def session(self, **headers: str) -> httpx2.Response:
        """By cookie, as a page asks: with the token of its visit."""
        visit = await self.client.get("/v1/auth/browser-session", headers=self._sent())
        both = f"{self.cookie}; {visit.headers['set-cookie'].partition(';')[0]}"
        self.client.cookies.clear()
        sent = {"Cookie": both, "X-CSRF-Token": visit.json()["csrf_token"], **headers}
        return await self.client.post("/v1/auth/providers/session", headers=sent)

    def _sent(self) -> dict[str, str]:
        return {"Cookie": self.cookie} if self.cookie else {}

    def _kept(self, answer: httpx2.Response) -> str:
        set_cookie = answer.headers["set-cookie"]
        assert set_cookie.startswith("__Host-fh_login=")
        assert {"httponly", "secure", "path=/", "samesite=lax"} <= {
            each.strip().lower() for each in set_cookie.split(";")
        }
        self.cookie = set_cookie.partition(";")[0]
        self.client.cookies.clear()
        return str(answer.json()["url"])


def told(answer: httpx2.Response) -> dict[str, str]:
    """What the page that the browser returns to is told."""
    assert answer.status_code == 303, answer.text
    return {name: value[0] for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def came_in(stage: Stage, world: World, name: str = "acme", **body: Any) -> tuple[Browser, httpx2.Response]:
    browser = Browser(stage)
    site: Any = {"acme": world.issuer, "other": world.other, "github": world.github}[name]
    url = await browser.begin(name, **body)
    return browser, await browser.back(site.allow(url), name)


async def me(stage: Stage, answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    found: dict[str, Any] = (await stage.client().get("/v1/users/me", headers=bearer)).json()
    return found


async def registered(stage: Stage, email: str = "ada@example.org") -> dict[str, str]:
    """An account with a password: its bearer."""
    body = {"email": email, "password": PASSWORD, "full_name": "Ada"}
    assert (await stage.client().post("/v1/users", json=body)).status_code == 201
    form = {"grant_type": "password", "username": email, "password": PASSWORD}
    return {
        "Authorization": f"Bearer {(await stage.client().post('/v1/auth/token', data=form)).json()['access_token']}"
    }


class TestLogIn:
    async def test_a_newcomer_gets_an_account_and_the_same_one_the_next_time(self, stage: Stage, world: World) -> None:
        listed = (await stage.client().get("/v1/auth/providers")).json()["items"]
        assert [each["title"] for each in listed] == ["Acme", "Other", "GitHub"]
        browser, answer = await came_in(stage, world, return_to="/app?view=map")
        assert told(answer) == {"view": "map", "login": "done"}
        tokens = await browser.tokens()
        assert tokens.headers["cache-control"] == "no-store"
        ada = await me(stage, tokens)
        assert (ada["email"], ada["full_name"]) == ("ada@example.org", "Ada Lovelace")
        assert ada["email_verified_at"] is not None
        assert (await browser.tokens()).json()["code"] == "login.attempt_unknown", "once"
        world.issuer.person["email"] = "moved@example.org"
        again, _ = await came_in(stage, world)
        assert (await me(stage, await again.tokens()))["id"] == ada["id"], "by issuer and subject"

    async def test_a_page_gets_a_session_by_cookie(self, stage: Stage, world: World) -> None:
        browser = Browser(stage)
        sent = await browser.client.get(
            "/v1/auth/providers/acme/login", params={"return_to": "/account"}, follow_redirects=False
        )
        assert sent.status_code == 303
        browser.cookie = sent.headers["set-cookie"].partition(";")[0]
        browser.client.cookies.clear()
        back = await browser.back(world.issuer.allow(sent.headers["location"]))
        assert back.headers["location"] == "/account?login=done"
        opened_by = await browser.session()
        assert (opened_by.status_code, opened_by.json()["is_signed_in"]) == (201, True)
        session = next(each for each in opened_by.headers.get_list("set-cookie") if "fh_session" in each).partition(
            ";"
        )[0]
        browser.client.cookies.clear()
        seen = await browser.client.get("/v1/users/me", headers={"Cookie": session})
        assert seen.json()["email"] == "ada@example.org"
        again = await browser.session()
        assert again.json()["code"] == "login.attempt_unknown"

    async def test_C03_only_a_page_of_ours_redeems_a_log_in(self, stage: Stage, world: World) -> None:
        browser, _ = await came_in(stage, world)
        bare = await browser.client.post("/v1/auth/providers/session", headers={"Cookie": browser.cookie})
        refused = [
            bare,
            await browser.session(Origin="https://evil.example"),
            await browser.session(**{"Sec-Fetch-Site": "cross-site"}),
            await browser.session(**{"X-CSRF-Token": "x"}),
            await browser.tokens(Origin="https://evil.example"),
            await browser.tokens(**{"Sec-Fetch-Site": "same-site"}),
        ]
        assert [(each.status_code, each.json()["code"]) for each in refused] == [(403, "auth.forged_request")] * 6
        assert (await browser.session(Origin="https://testserver")).status_code == 201, "nothing was used up"

    async def test_what_registration_asks_besides_goes_along(self, stage: Stage, world: World) -> None:
        browser, _ = await came_in(
            stage, world, registration={"account": "landlord", "email": "x@y.org", "password": "x"}
        )
        ada = await me(stage, await browser.tokens())
        assert ada["email"] == "ada@example.org"
        async with stage.database.reading(system("test")) as session:
            row = await session.get_one(Guest, UUID(ada["id"]))
            assert (row.account, row.password_hash) == ("landlord", None)
        world.issuer.person["sub"], world.issuer.person["email"] = "p2", "eve@example.org"
        _, answer = await came_in(stage, world, registration={"nonsense": 1})
        assert told(answer) == {"login_error": "login.registration_needed"}

    async def test_claims_that_are_told_apart_from_the_token_count_for_their_subject(
        self, stage: Stage, world: World
    ) -> None:
        world.issuer.by_user_info = True
        browser, answer = await came_in(stage, world)
        assert told(answer) == {"login": "done"}
        world.issuer.person["sub"] = "p9"
        browser = Browser(stage)
        parameters = world.issuer.allow(await browser.begin())
        world.issuer.signed = lambda claims: world.issuer.__class__._signed(
            _plain(world.issuer), {**claims, "sub": "p8"}
        )
        assert told(await browser.back(parameters)) == {"login_error": "login.failed"}

    async def test_github_is_asked_without_an_id_token(self, stage: Stage, world: World) -> None:
        browser, answer = await came_in(stage, world, "github")
        assert told(answer) == {"login": "done"}
        ada = await me(stage, await browser.tokens())
        assert (ada["email"], ada["full_name"]) == ("ada@example.org", "ada")
        async with stage.database.reading(system("test")) as session:
            row = (await session.execute(select(LINKED_IDENTITIES))).one()
            assert (row.issuer, row.subject) == (world.github.url, "42")
        parameters = {**world.github.allow(await browser.begin("github")), "code": "wrong"}
        assert told(await browser.back(parameters, "github")) == {"login_error": "login.failed"}

    async def test_a_person_who_says_no_and_a_provider_that_is_down(self, stage: Stage, world: World) -> None:
        browser = Browser(stage)
        state = world.issuer.allow(await browser.begin())["state"]
        said = await browser.back({"error": "access_denied", "state": state})
        assert told(said) == {"login_error": "login.denied"}
        parameters = world.issuer.allow(await browser.begin())
        world.issuer.is_down = True
        assert told(await browser.back(parameters)) == {"login_error": "login.provider_away"}
        assert (await browser.client.post("/v1/auth/providers/nobody/attempts", json={})).status_code == 404
        world.providers[0]._read_at, world.providers[0]._metadata = float("-inf"), {}
        away = await browser.client.post("/v1/auth/providers/acme/attempts", json={})
        assert (away.status_code, away.json()["code"]) == (503, "login.provider_away")

    async def test_a_closed_account_stays_closed(self, stage: Stage, world: World) -> None:
        browser, _ = await came_in(stage, world)
        ada = await me(stage, await browser.tokens())
        waiting, _ = await came_in(stage, world)
        async with stage.database.writing(system("test")) as unit:
            await stage.app.identity.parts.accounts.disable(unit.session, UUID(ada["id"]))  # type: ignore[union-attr]
        assert (await waiting.tokens()).json()["code"] == "login.failed"
        _, answer = await came_in(stage, world)
        assert told(answer) == {"login_error": "login.failed"}


def _plain(issuer: Issuer) -> Issuer:
    """The same issuer, signing by the book."""
    copy = Issuer.__new__(Issuer)
    copy.__dict__ = {**issuer.__dict__, "signed": None}
    return copy


class TestAttempt:
    async def test_L01_a_callback_is_for_its_browser_and_works_once(self, stage: Stage, world: World) -> None:
        mine, theirs = Browser(stage), Browser(stage)
        first, second = world.issuer.allow(await mine.begin()), world.issuer.allow(await theirs.begin())
        assert len({first["state"], second["state"]}) == 2
        for browser, parameters in ((theirs, first), (Browser(stage), second)):
            answer = await browser.back(parameters)
            assert (answer.status_code, answer.json()["code"]) == (400, "login.attempt_unknown")
        assert (await mine.back(first)).status_code == 400, "a state that was seen elsewhere is used up"
        parameters = world.issuer.allow(await mine.begin())
        used = await asyncio.gather(*(mine.back(parameters) for _ in range(10)))
        assert sorted(each.status_code for each in used) == [303] + [400] * 9
        assert (await theirs.tokens()).status_code == 400, "nor has another browser its tokens"
        assert (await mine.tokens(**{"Sec-Fetch-Site": "cross-site"})).status_code == 403
        given = await asyncio.gather(*(mine.tokens() for _ in range(10)))
        assert sorted(each.status_code for each in given) == [200] + [400] * 9

    async def test_L01_an_attempt_dies_after_ten_minutes_and_its_tokens_after_one(
        self, stage: Stage, world: World
    ) -> None:
        browser = Browser(stage)
        early, now = world.issuer.allow(await browser.begin()), clock.now()
        try:
            clock.set_source(lambda: now + timedelta(minutes=10, seconds=1))
            assert (await browser.back(early)).status_code == 400
            clock.set_source(lambda: now)
            assert told(await browser.back(world.issuer.allow(await browser.begin()))) == {"login": "done"}
            clock.set_source(lambda: now + timedelta(seconds=61))
            assert (await browser.tokens()).status_code == 400
        finally:
            clock.set_source(None)

    async def test_L01_a_callback_of_one_provider_is_none_of_another(self, stage: Stage, world: World) -> None:
        browser = Browser(stage)
        parameters = world.issuer.allow(await browser.begin("acme"))
        assert (await browser.back(parameters, "other")).status_code == 400
        assert world.other.counts.get("/token") is None

    async def test_L01_a_dump_of_the_database_holds_nothing_that_works(self, stage: Stage, world: World) -> None:
        browser = Browser(stage)
        asked = {name: value[0] for name, value in parse_qs(urlsplit(await browser.begin()).query).items()}
        async with stage.database.reading(system("test")) as session:
            row = repr((await session.execute(select(LOGIN_ATTEMPTS))).one())
        for secret in (asked["state"], asked["nonce"], browser.cookie.partition("=")[2]):
            assert len(secret) >= 43
            assert secret not in row

    @pytest.mark.parametrize(
        "wanted",
        ["//evil.example", "/\\evil.example", "\\evil.example", "https:evil.example", "https://evil.example", "/\tx", "/a\nb",
         "javascript:alert(1)", "/ /evil", "", "evil.example", "/%00\x00", "\t//evil.example", "/\x85", "?x"],
    )  # fmt: skip
    def test_L05_anything_but_a_path_on_this_site_is_the_front_page(self, wanted: str) -> None:
        assert return_path(wanted) == "/"

    async def test_L05_one_returns_to_a_path_on_this_site(self, stage: Stage, world: World) -> None:
        assert return_path("/app/homes?x=1#top") == "/app/homes?x=1#top"
        _, answer = await came_in(stage, world, return_to="//evil.example/")
        assert answer.headers["location"] == "/?login=done"
        _, answer = await came_in(stage, world, return_to="/\u4e2d\u2028b?q=\u00e9")
        assert answer.headers["location"] == "/%E4%B8%AD%E2%80%A8b?q=%C3%A9&login=done"

    async def test_what_is_kept_for_the_way_back_is_small(self, stage: Stage) -> None:
        wanted = {"registration": {"full_name": "x" * 9_000}}
        answer = await stage.client().post("/v1/auth/providers/acme/attempts", json=wanted)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/registration")


class TestIdToken:
    @pytest.mark.parametrize(
        ("claims", "why"),
        [
            ({"iss": "https://evil.example"}, "another issuer"),
            ({"aud": "somebody else"}, "for another client"),
            ({"aud": [CLIENT, "another"]}, "for several, and nobody says for whom"),
            ({"azp": "another"}, "for another"),
            ({"exp": 1}, "over"),
            ({"exp": None}, "endless"),
            ({"exp": "2999"}, "no time"),
            ({"iat": 99_999_999_999}, "of the future"),
            ({"nbf": 99_999_999_999}, "not yet"),
            ({"nonce": "another"}, "of another attempt"),
            ({"nonce": None}, "of no attempt"),
            ({"sub": ""}, "nobody"),
            ({"sub": None}, "nobody"),
            ({"sub": 1}, "no text"),
        ],
        ids=lambda each: each if isinstance(each, str) else "",
    )
    async def test_L02_a_token_with_a_wrong_claim_is_refused(
        self, stage: Stage, world: World, claims: dict[str, Any], why: str
    ) -> None:
        world.issuer.claims = claims
        _, answer = await came_in(stage, world)
        assert told(answer) == {"login_error": "login.failed"}, why

    async def test_L02_none_and_shared_secrets_are_refused_though_the_issuer_offers_them(
        self, stage: Stage, world: World
    ) -> None:
        for signed in (world.issuer.unsigned, world.issuer.by_shared_secret, lambda _: "a.b.c", lambda _: "x" * 20_000):
            world.issuer.signed = signed
            _, answer = await came_in(stage, world)
            assert told(answer) == {"login_error": "login.failed"}

    async def test_L02_an_algorithm_that_the_issuer_does_not_name_is_refused(self, stage: Stage, world: World) -> None:
        world.issuer.metadata = {"id_token_signing_alg_values_supported": ["ES256"]}
        _, answer = await came_in(stage, world)
        assert told(answer) == {"login_error": "login.failed"}

    async def test_L02_the_two_names_of_ed25519_are_one_algorithm(self, stage: Stage, world: World) -> None:
        world.issuer.keys["ed"] = OKPKey.generate_key("Ed25519")
        world.issuer.published["ed"] = world.issuer.keys["ed"]
        for signed_as, said in (("EdDSA", "Ed25519"), ("Ed25519", "EdDSA"), ("Ed25519", "Ed25519")):
            world.providers[0]._read_at = float("-inf")
            world.issuer.metadata = {"id_token_signing_alg_values_supported": [said]}
            world.issuer.kid, world.issuer.alg = "ed", signed_as
            _, answer = await came_in(stage, world)
            assert told(answer) == {"login": "done"}
        world.issuer.kid, world.issuer.alg = "one", "RS256"
        _, answer = await came_in(stage, world)
        assert told(answer) == {"login_error": "login.failed"}

    async def test_L02_a_signature_by_another_key_is_refused(self, stage: Stage, world: World) -> None:
        world.issuer.published = {"one": world.other.keys["one"]}
        _, answer = await came_in(stage, world)
        assert told(answer) == {"login_error": "login.failed"}

    async def test_L02_an_answer_of_another_issuer_is_a_mix_up(self, stage: Stage, world: World) -> None:
        browser = Browser(stage)
        for bent in ({"iss": world.other.url}, {"iss": ""}):
            parameters = {**world.issuer.allow(await browser.begin()), **bent}
            assert told(await browser.back(parameters)) == {"login_error": "login.failed"}
        parameters = world.issuer.allow(await browser.begin())
        del parameters["iss"]
        assert told(await browser.back(parameters)) == {"login_error": "login.failed"}, "it promised to say so"
        world.providers[0]._read_at, world.providers[0]._metadata = float("-inf"), {}
        world.issuer.metadata = {"issuer": world.other.url}
        refused = await browser.client.post("/v1/auth/providers/acme/attempts", json={})
        assert refused.json()["code"] == "login.failed"

    async def test_L02_a_configuration_that_leads_inside_is_not_followed(self, stage: Stage, world: World) -> None:
        before = dict(world.other.counts)
        world.issuer.metadata = {"token_endpoint": f"{world.github.url}/login/oauth/access_token"}
        world.issuer.metadata |= {"jwks_uri": "http://169.254.169.254/latest/meta-data"}
        _, answer = await came_in(stage, world)
        assert told(answer) == {"login_error": "login.failed"}
        assert world.other.counts == before

    async def test_L04_unknown_keys_are_asked_for_once_in_thirty_seconds(
        self, stage: Stage, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await came_in(stage, world)
        asked = world.issuer.counts["/jwks"]
        passed = [0.0]
        moment = keys.time.monotonic
        monkeypatch.setattr(keys.time, "monotonic", lambda: moment() + passed[0])
        passed[0] = 31.0
        kids = iter(range(100))
        world.issuer.signed = lambda claims: world.issuer.unsigned(claims).replace(
            "eyJhbGciOiAibm9uZSJ9", _header(f"k{next(kids)}")
        )
        answers = await asyncio.gather(*(came_in(stage, world) for _ in range(12)))
        assert {told(answer)["login_error"] for _, answer in answers} == {"login.failed"}
        assert world.issuer.counts["/jwks"] == asked + 1
        world.issuer.signed = None
        world.issuer.new_key("two")
        world.issuer.published["two"] = world.issuer.keys["two"]
        _, answer = await came_in(stage, world)
        assert told(answer) == {"login_error": "login.failed"}, "not before its time"
        passed[0] = 62.0
        _, answer = await came_in(stage, world)
        assert told(answer) == {"login": "done"}
        assert world.issuer.counts["/jwks"] == asked + 2

    async def test_L04_known_keys_go_on_working_for_their_time_when_the_set_cannot_be_had(
        self, stage: Stage, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await came_in(stage, world)
        real = world.issuer.answer
        monkeypatch.setattr(
            world.issuer, "answer", lambda m, url, h, b: (503, {}, {}) if url == "/jwks" else real(m, url, h, b)
        )
        passed, moment = [500.0], keys.time.monotonic
        monkeypatch.setattr(keys.time, "monotonic", lambda: moment() + passed[0])
        world.issuer.kid = "one"
        _, answer = await came_in(stage, world)
        assert told(answer) == {"login": "done"}
        passed[0] = 700.0  # the set said 600 seconds
        _, answer = await came_in(stage, world)
        assert told(answer) == {"login_error": "login.provider_away"}


def _header(kid: str) -> str:
    import base64
    import json

    return base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": kid}).encode()).rstrip(b"=").decode()


class TestAccount:
    async def test_L03_an_address_is_no_way_into_an_account(self, stage: Stage, world: World) -> None:
        await registered(stage, "ada@example.org")
        _, answer = await came_in(stage, world)
        assert told(answer) == {"login_error": "login.account_exists"}
        world.issuer.person["email"] = "ADA@Example.org"
        _, answer = await came_in(stage, world)
        assert told(answer) == {"login_error": "login.account_exists"}
        async with stage.database.reading(system("test")) as session:
            assert (await session.execute(select(LINKED_IDENTITIES))).all() == []

    @pytest.mark.parametrize("verified", [False, None, "true", 1])
    async def test_L03_an_unverified_address_makes_no_account(
        self, stage: Stage, world: World, verified: object
    ) -> None:
        world.issuer.person["email_verified"] = verified
        _, answer = await came_in(stage, world)
        assert told(answer) == {"login_error": "login.email_unverified"}
        world.github.emails = [
            {"email": "ada@example.org", "primary": True, "verified": False},
            {"email": "other@example.org", "primary": False, "verified": True},
        ]
        _, answer = await came_in(stage, world, "github")
        assert told(answer) == {"login_error": "login.email_unverified"}

    async def test_L03_two_issuers_with_one_subject_are_two_people(self, stage: Stage, world: World) -> None:
        first, _ = await came_in(stage, world)
        world.other.person["email"] = "eve@example.org"
        second, _ = await came_in(stage, world, "other")
        ids = [(await me(stage, await each.tokens()))["id"] for each in (first, second)]
        assert ids[0] != ids[1]

    async def test_L03_linking_needs_a_log_in_and_is_told_to_the_owner(self, stage: Stage, world: World) -> None:
        bearer = await registered(stage)
        browser = Browser(stage)
        assert (await browser.link({})).status_code == 401
        url = browser.keep(await browser.link(bearer))
        assert told(await browser.back(world.issuer.allow(url))) == {"login": "linked"}
        listed = (await stage.client().get("/v1/auth/identities", headers=bearer)).json()["items"]
        assert [(each["provider"], each["email"]) for each in listed] == [("acme", "ada@example.org")]
        again, _ = await came_in(stage, world)
        tokens = await again.tokens()
        mine = (await stage.client().get("/v1/users/me", headers=bearer)).json()
        assert (await me(stage, tokens))["id"] == mine["id"]
        await stage.app.jobs.run_pending()
        letters = [str(each["subject"]) for each in stage.app.mailer.transport.letters]  # type: ignore[attr-defined]
        assert any("A way to log in was added" in each for each in letters)
        exported = (await stage.client().get("/v1/users/me/export", headers=bearer)).json()["identities"]
        assert exported == [{"provider": "acme", "subject": "p1", "email": "ada@example.org"}]

    async def test_L03_an_identity_has_one_owner_and_a_log_in_that_ended_links_nothing(
        self, stage: Stage, world: World
    ) -> None:
        await came_in(stage, world)
        bearer, browser = await registered(stage, "eve@example.org"), Browser(stage)
        url = browser.keep(await browser.link(bearer))
        assert told(await browser.back(world.issuer.allow(url))) == {"login_error": "login.already_linked"}
        world.issuer.person["sub"] = "p7"
        url = browser.keep(await browser.link(bearer))
        token = bearer["Authorization"].partition(" ")[2]
        await stage.client().post("/v1/auth/revocation", data={"token": token})
        assert told(await browser.back(world.issuer.allow(url))) == {"login_error": "login.failed"}

    async def test_the_last_way_in_stays(self, stage: Stage, world: World) -> None:
        browser, _ = await came_in(stage, world)
        bearer = {"Authorization": f"Bearer {(await browser.tokens()).json()['access_token']}"}
        client = stage.client(**bearer)
        (one,) = (await client.get("/v1/auth/identities")).json()["items"]
        refused = await client.delete(f"/v1/auth/identities/{one['id']}")
        assert (refused.status_code, refused.json()["code"]) == (409, "login.last_way_in")
        url = browser.keep(await browser.link(bearer, "github"))
        assert told(await browser.back(world.github.allow(url), "github")) == {"login": "linked"}
        assert (await client.delete(f"/v1/auth/identities/{one['id']}")).status_code == 204
        assert (await client.delete(f"/v1/auth/identities/{one['id']}")).status_code == 404
        stranger = stage.client(**await registered(stage, "eve@example.org"))
        (two,) = (await client.get("/v1/auth/identities")).json()["items"]
        assert (await stranger.delete(f"/v1/auth/identities/{two['id']}")).status_code == 404
        async with stage.database.reading(system("test")) as session:
            rows = await session.scalars(select(AUDIT.c.action).order_by(AUDIT.c.id))
            assert [each for each in rows if "identity" in each or "login" in each] == [
                "user.identity_linked", "user.login", "user.identity_linked", "user.identity_unlinked", "user.login"
            ]  # fmt: skip

    async def test_a_passkey_is_another_way_in(self, stage: Stage, world: World) -> None:
        browser, _ = await came_in(stage, world)
        first = await browser.tokens()
        client = stage.client(Authorization=f"Bearer {first.json()['access_token']}")
        owner = UUID((await me(stage, first))["id"])
        (one,) = (await client.get("/v1/auth/identities")).json()["items"]
        async with stage.database.writing(system("test")) as unit:
            await unit.session.execute(
                PASSKEYS.insert().values(
                    user_id=owner, name="Key", credential_id=b"c", public_key=b"k", sign_count=0, is_backed_up=False
                )
            )
        assert (await client.delete(f"/v1/auth/identities/{one['id']}")).status_code == 204

    async def test_A09_erasing_an_account_lets_go_of_its_identities(self, stage: Stage, world: World) -> None:
        browser, _ = await came_in(stage, world)
        first = await browser.tokens()
        ada = await me(stage, first)
        client = stage.client(Authorization=f"Bearer {first.json()['access_token']}")
        assert (await client.delete("/v1/users/me")).status_code == 204
        again, answer = await came_in(stage, world)
        assert told(answer) == {"login": "done"}
        assert (await me(stage, await again.tokens()))["id"] != ada["id"]


@pytest.mark.parametrize(
    ("name", "value", "is_good"),
    [
        ("login_google", "id:secret", True), ("login_google", "id", False), ("login_github", "a b:c", False),
        ("login_oidc", "acme=https://id:s%2Fe@idp.example/realm, two=https://id@two.example", True),
        ("login_oidc", "google=https://id:s@idp.example", False), ("login_oidc", "acme=http://id:s@idp.example", False),
        ("login_oidc", "acme=https://idp.example", False), ("login_oidc", "a=https://i@x.org,a=https://i@y.org", False),
        ("login_oidc", "acme=https://id:s@idp.example?x=1", False), ("login_oidc", "acme=http://id:s@127.0.0.1:9/x", True),
    ],
)  # fmt: skip
def test_a_wrong_setting_stops_the_start_and_tells_no_secret(
    tmp_path: Path, name: str, value: str, is_good: bool
) -> None:
    given = {"env": "test", "var_dir": tmp_path, "secret": "x" * 40, name: value}
    if is_good:
        assert "secret" not in repr(Settings(**given)).replace("secret=SecretStr", "")
        return
    with pytest.raises(ValueError, match=r"write|before|one name"):
        Settings(**given)


def test_providers_of_the_settings_are_offered(tmp_path: Path) -> None:
    settings = Settings(
        env="test", var_dir=tmp_path, secret="x" * 40, login_google="g:s", login_github="h:s",
        login_oidc="acme=https://id:s%2Fe@idp.example/realm",
    )  # fmt: skip
    app = Freehold(identity=Identity(user=Guest, cost=Cost(memory_kib=64, passes=1)), settings=settings)
    social = app.identity.social  # type: ignore[union-attr]
    assert social is not None
    assert [each.title for each in social.providers.values()] == ["Google", "GitHub", "Acme"]
    assert social.providers["acme"].issuer == "https://idp.example/realm"  # type: ignore[attr-defined]
