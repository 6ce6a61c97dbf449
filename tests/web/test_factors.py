"""Second factors over HTTP, on both databases: M01 to M09, T05, A02 and A10."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from freehold.identity import Cost, Identity, PasswordPolicy, UserMixin
from freehold.identity.factors.tables import PASSKEYS, RECOVERY_CODES, TOTP_SECRETS
from freehold.jobs import Jobs
from freehold.mail import Mailer
from freehold.resource import clock
from freehold.resource.principal import system
from freehold.store.audit import AUDIT
from freehold.store.database import Database
from freehold.testing import Clock
from freehold.traffic.limits_memory import MemoryLimiter
from freehold.web.identity import identity_router
from freehold.web.problems import install_handlers
from freehold.web.runtime import Runtime
from tests.bases import AccountBase as Base
from tests.identity.authenticators import AT, UP, Authenticator, EdDsa, Es256, Rs256, b64
from tests.kept import Kept, kept, with_tables

pytestmark = pytest.mark.anyio

PASSWORD = "lantern quarry velvet 42"
SECRET = "0123456789abcdef0123456789abcdef"
Answer = httpx2.Response


class Guest(UserMixin, Base):
    __tablename__ = "test_guests"


class Post:
    """A mail transport that keeps subjects."""

    def __init__(self) -> None:
        self.subjects: list[str] = []

    async def deliver(self, message: Any) -> None:
        self.subjects.append(str(message["subject"]))


def _nanoseconds() -> int:
    return int(clock.now().timestamp() * 1e9)


class Service:
    """An application with identity, and short ways to use it."""

    def __init__(self, database: Database, *, required: Any = ("reviewer",), counts: bool = False) -> None:
        self.database, self.post = database, Post()
        self.identity = Identity(
            user=Guest,
            roles=("reviewer", "admin"),
            staff_roles=("admin",),
            factor_required_for=required,
            policy=PasswordPolicy(service_name="Imba"),
            cost=Cost(memory_kib=64, passes=1),
        )
        mailer = Mailer(self.post, sender="Imba <no-reply@imba.example>")
        self.limiter = MemoryLimiter(factor=1 if counts else None, monotonic_ns=_nanoseconds)
        self.parts = self.identity.bind(
            database,
            secret=SECRET,
            public_url="https://imba.example",
            mailer=mailer,
            limiter=self.limiter,
        )
        self.jobs = Jobs(database, jobs=[mailer.job], principals=self._nobody)
        self.app = FastAPI(redirect_slashes=False)
        self.app.include_router(identity_router(self.identity))
        install_handlers(self.app)
        self.app.state.freehold = Runtime(database=database, authenticator=self.identity)
        self.client = self.at("192.0.2.1")

    @staticmethod
    async def _nobody(_: Any) -> None:
        return None

    def at(self, address: str) -> httpx2.AsyncClient:
        """A client at an address of its own, so that quotas of addresses are no part of what is tested."""
        transport = httpx2.ASGITransport(self.app, client=(address, 1))
        return httpx2.AsyncClient(transport=transport, base_url="https://imba.example")

    async def post_(self, path: str, body: Any = None, token: str | None = None, **more: Any) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = more.pop("client", self.client)
        return await client.post(f"/v1/auth{path}", json={} if body is None else body, headers=headers)

    async def get(self, path: str, token: str) -> Answer:
        return await self.client.get(path, headers={"Authorization": f"Bearer {token}"})

    async def remove(self, factor: str, token: str) -> Answer:
        headers = {"Authorization": f"Bearer {token}"}
        return await self.client.delete(f"/v1/auth/factors/{factor}", headers=headers)

    async def log_in(self, email: str = "ada@example.com", client: httpx2.AsyncClient | None = None) -> Answer:
        form = {"grant_type": "password", "username": email, "password": PASSWORD}
        return await (client or self.client).post("/v1/auth/token", data=form)

    async def person(self, email: str = "ada@example.com", *roles: str, password: str = PASSWORD) -> UUID:
        draft = {"email": email, "password": password, "full_name": "Ada Lovelace"}
        made = await self.client.post("/v1/users", json=draft)
        assert made.status_code == 201, made.text
        user_id = UUID(made.json()["id"])
        if roles:
            async with self.database.writing(system("test")) as unit:
                await self.parts.accounts.set_roles(unit.session, user_id, roles)
        return user_id

    async def token(self, email: str = "ada@example.com") -> str:
        answer = await self.log_in(email)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def step(self, email: str = "ada@example.com", client: httpx2.AsyncClient | None = None) -> str:
        answer = await self.log_in(email, client)
        assert (answer.status_code, answer.json()["code"]) == (401, "auth.factor_required"), answer.text
        return str(answer.json()["step_token"])

    async def with_totp(self, email: str = "ada@example.com") -> tuple[pyotp.TOTP, list[str]]:
        """A person with codes of an app: the app, and the recovery codes."""
        await self.person(email)
        token = await self.token(email)
        app = pyotp.TOTP((await self.post_("/factors/totp", {}, token)).json()["secret"])
        answer = await self.post_("/factors/totp/confirmation", {"code": app.at(clock.now())}, token)
        assert answer.status_code == 200, answer.text
        return app, answer.json()["recovery_codes"]

    async def with_passkey(self, email: str = "ada@example.com", **about: Any) -> Authenticator:
        await self.person(email)
        token, key = await self.token(email), Authenticator(**about)
        assert (await self.add_passkey(key, token)).status_code == 201
        return key

    async def add_passkey(self, key: Authenticator, token: str, **changes: Any) -> Answer:
        options = (await self.post_("/factors/passkeys/options", {}, token)).json()["public_key"]
        return await self.post_("/factors/passkeys", {"credential": key.create(options, **changes)}, token)

    async def by_passkey(self, key: Authenticator, step: str | None = None, **changes: Any) -> Answer:
        asked = (await self.post_("/passkey/options", {"step_token": step})).json()
        return await self.post_(
            "/passkey", {"step_token": asked["step_token"], "credential": key.get(asked["public_key"], **changes)}
        )

    async def told(self) -> list[str]:
        """The subjects of the letters that are owed."""
        self.post.subjects.clear()
        await self.jobs.run_pending()
        return [subject.removeprefix("Imba: ") for subject in self.post.subjects]

    async def audited(self) -> list[str]:
        async with self.database.reading(system("test")) as session:
            return list(await session.scalars(select(AUDIT.c.action).order_by(AUDIT.c.id)))

    async def rows(self, table: Any) -> list[Any]:
        async with self.database.reading(system("test")) as session:
            return list((await session.execute(select(table))).all())


@pytest.fixture(scope="module")
async def _kept(module_database: str) -> AsyncIterator[Kept]:
    async with kept(Database.open(module_database), with_tables(Guest.__table__)) as found:
        yield found


@pytest.fixture
def hand() -> Any:
    with Clock() as moved:
        yield moved


@pytest.fixture(scope="module")
async def _services() -> AsyncIterator[dict[str, Service]]:
    """Those of this module, by what is told of them: to put one together takes longer than most of its tests."""
    made: dict[str, Service] = {}
    yield made
    for each in made.values():
        await each.client.aclose()
        await each.identity.close()


@pytest.fixture
async def service(_kept: Kept, _services: dict[str, Service], hand: Any, request: Any) -> AsyncIterator[Service]:
    about = getattr(request, "param", {})
    async with _kept.lent() as database:
        name = f"{id(database)} {about}"
        found = _services.get(name) or _services.setdefault(name, Service(database, **about))
        found.limiter.clear()
        await found.identity.start()
        yield found


def refused(answer: Answer, status: int, code: str) -> bool:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    return True


async def test_M01_T05_the_password_alone_gives_a_step_token_that_opens_nothing_else(service: Service) -> None:
    app, _ = await service.with_totp()
    answer = await service.log_in()
    due = answer.json()
    assert (answer.status_code, due["code"]) == (401, "auth.factor_required")
    assert (due["factors"], due["enrolment"], due["expires_in"]) == (["totp", "recovery_code"], False, 600)
    assert answer.headers["cache-control"] == "no-store"
    assert "access_token" not in due and "refresh_token" not in due
    step = due["step_token"]
    for path in ("/v1/users/me", "/v1/auth/factors", "/v1/auth/sessions"):
        assert refused(await service.get(path, step), 401, "auth.unauthenticated")
    form = {"grant_type": "refresh_token", "refresh_token": step}
    assert refused(await service.client.post("/v1/auth/token", data=form), 401, "auth.invalid_grant")
    link = {"token": step, "password": "another lantern velvet 43"}
    assert (await service.client.post("/v1/auth/reset/confirmation", json=link)).status_code == 422
    # Whoever has the password alone adds nothing beside the owner's factor.
    for path in ("/totp/enrolment", "/passkey/enrolment/options"):
        assert refused(await service.post_(path, {"step_token": step}), 401, "auth.step_over")
    given = await service.post_("/totp", {"step_token": step, "code": app.at(clock.now() + timedelta(seconds=30))})
    assert given.status_code == 200, given.text
    for other in (given.json()["access_token"], given.json()["refresh_token"], "fhm_x", "x" * 128):
        code = {"step_token": other, "code": "123456"}
        assert (await service.post_("/totp", code)).status_code in (401, 422)
    assert (await service.get("/v1/users/me", given.json()["access_token"])).status_code == 200
    again = {"step_token": step, "code": app.at(clock.now())}
    assert refused(await service.post_("/totp", again), 401, "auth.step_over")


async def test_M01_a_step_ends_with_its_time_its_password_and_its_account(service: Service, hand: Any) -> None:
    app, _ = await service.with_totp()
    user_id = (await service.rows(TOTP_SECRETS))[0].user_id
    late, closed = await service.step(), None
    hand.advance(minutes=10)
    assert refused(
        await service.post_("/totp", {"step_token": late, "code": app.at(clock.now())}), 401, "auth.step_over"
    )
    closed = await service.step()
    async with service.database.writing(system("test")) as unit:
        await service.parts.accounts.disable(unit.session, user_id)
        await service.parts.accounts.enable(unit.session, user_id)
    assert refused(
        await service.post_("/totp", {"step_token": closed, "code": app.at(clock.now())}), 401, "auth.step_over"
    )
    reset = await service.step()
    async with service.database.writing(system("test")) as unit:
        hashed = await service.parts.passwords.hash(PASSWORD)
        await service.parts.accounts.change_password(unit.session, user_id, hashed, keep=None)
    assert refused(
        await service.post_("/totp", {"step_token": reset, "code": app.at(clock.now())}), 401, "auth.step_over"
    )
    await service.step()  # A09: a new password does not switch a factor off


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
async def test_M02_a_code_is_good_one_step_either_side(service: Service, hand: Any, steps: int, status: int) -> None:
    app, _ = await service.with_totp()
    hand.advance(minutes=5)
    code = app.at(clock.now() + timedelta(seconds=30 * steps))
    answer = await service.post_("/totp", {"step_token": await service.step(), "code": code})
    assert answer.status_code == status


async def test_M02_a_code_is_good_once_and_none_before_it(service: Service, hand: Any) -> None:
    app, _ = await service.with_totp()
    at_enrolment = {"step_token": await service.step(), "code": app.at(clock.now())}
    assert refused(await service.post_("/totp", at_enrolment), 401, "auth.code_refused")
    hand.advance(seconds=60)
    code, before = app.at(clock.now()), app.at(clock.now() - timedelta(seconds=30))
    assert (
        await service.post_("/totp", {"step_token": await service.step(), "code": f" {code[:3]} {code[3:]}"})
    ).is_success
    for used in (code, before):
        answer = await service.post_("/totp", {"step_token": await service.step(), "code": used})
        assert refused(answer, 401, "auth.code_refused")
    assert "user.login" in await service.audited()


@pytest.mark.parametrize("service", [{"counts": True}], indirect=True)
async def test_M02_ten_wrong_codes_stop_the_step_over_all_log_ins_and_addresses(service: Service, hand: Any) -> None:
    app, codes = await service.with_totp()
    hand.advance(minutes=6)
    for number in range(10):
        client = service.at(f"198.51.100.{number}")
        sent = {"step_token": await service.step(client=client), "code": "000000"}
        assert refused(await service.post_("/totp", sent, client=client), 401, "auth.code_refused")
    client = service.at("203.0.113.7")
    for path, code in (("/totp", app.at(clock.now())), ("/recovery-code", codes[0])):
        stopped = await service.post_(
            path, {"step_token": await service.step(client=client), "code": code}, client=client
        )
        assert refused(stopped, 429, "request.quota_exceeded")
        assert int(stopped.headers["retry-after"]) <= 300
    hand.advance(minutes=5, seconds=1)
    sent = {"step_token": await service.step(), "code": app.at(clock.now())}
    assert (await service.post_("/totp", sent)).status_code == 200


@pytest.mark.parametrize("service", [{"counts": True}], indirect=True)
async def test_M02_a_step_that_is_over_counts_for_no_wrong_code(service: Service, hand: Any) -> None:
    app, _ = await service.with_totp()
    hand.advance(minutes=6)
    over = await service.step()
    hand.advance(minutes=11)
    for number in range(11):
        client = service.at(f"198.51.100.{number}")
        answer = await service.post_("/totp", {"step_token": over, "code": "000000"}, client=client)
        assert refused(answer, 401, "auth.step_over")
    sent = {"step_token": await service.step(), "code": app.at(clock.now())}
    assert (await service.post_("/totp", sent)).status_code == 200


async def test_M09_a_log_in_has_a_second_factor_for_as_long_as_its_account_has_one(service: Service, hand: Any) -> None:
    app, _ = await service.with_totp()
    hand.advance(minutes=1)
    given = (await service.post_("/totp", {"step_token": await service.step(), "code": app.at(clock.now())})).json()
    token = given["access_token"]
    assert (await service.identity.authenticate([f"Bearer {token}"])).has_factor
    (factor,) = (await service.get("/v1/auth/factors", token)).json()["items"]
    assert (await service.remove(factor["id"], token)).status_code == 204
    refreshed = await service.parts.sessions.refresh(given["refresh_token"])
    for each in (token, refreshed.access_token):
        caller = await service.identity.authenticate([f"Bearer {each}"])
        assert (caller.has_factor, "pwd" in caller.amr) == (False, True)


async def test_M09_who_has_a_factor_proves_it_before_a_key_is_made(service: Service, hand: Any) -> None:
    await service.person()
    token = await service.token()
    first = await service.post_("/api-keys", {"name": "k"}, token)
    assert first.status_code == 201, "there is no factor to prove"
    app = pyotp.TOTP((await service.post_("/factors/totp", {}, token)).json()["secret"])
    await service.post_("/factors/totp/confirmation", {"code": app.at(clock.now())}, token)
    rotation = f"/api-keys/{first.json()['id']}/rotation"
    for path, body in (("/api-keys", {"name": "k"}), (rotation, {})):
        refusal = await service.post_(path, body, token)
        assert refused(refusal, 401, "auth.insufficient_user_authentication")
        assert 'acr_values="aal2"' in refusal.headers["www-authenticate"]
    hand.advance(minutes=1)
    step = (await service.post_("/step-up", {}, token)).json()["step_token"]
    strong = (await service.post_("/totp", {"step_token": step, "code": app.at(clock.now())})).json()["access_token"]
    assert (await service.post_(rotation, {}, strong)).status_code == 201
    assert (await service.post_("/api-keys", {"name": "k"}, strong)).status_code == 201


async def test_M09_a_role_that_asks_for_a_factor_asks_for_it_before_a_key_is_made(service: Service) -> None:
    user_id = await service.person()
    token = await service.token()
    async with service.database.writing(system("test")) as unit:
        await service.parts.accounts.set_roles(unit.session, user_id, ["reviewer"])
    refusal = await service.post_("/api-keys", {"name": "k"}, token)
    assert refused(refusal, 401, "auth.insufficient_user_authentication")


async def test_M03_a_secret_is_shown_once_must_be_proved_and_is_stored_sealed(service: Service) -> None:
    await service.person()
    token = await service.token()
    made = await service.post_("/factors/totp", {"name": "my phone"}, token)
    secret = made.json()["secret"]
    assert (made.status_code, re.fullmatch("[A-Z2-7]{32}", secret) is not None) == (201, True)
    assert made.json()["uri"].startswith("otpauth://totp/Imba:ada%40example.com?")
    assert made.headers["cache-control"] == "no-store"
    assert (await service.get("/v1/auth/factors", token)).json()["items"] == []
    await service.token()  # it does not count yet
    (row,) = await service.rows(TOTP_SECRETS)
    assert secret.encode() not in row.sealed_secret and pyotp.TOTP(secret).byte_secret() not in row.sealed_secret
    wrong = await service.post_("/factors/totp/confirmation", {"code": "000000"}, token)
    assert refused(wrong, 401, "auth.code_refused")
    code = pyotp.TOTP(secret).at(clock.now())
    assert (
        len((await service.post_("/factors/totp/confirmation", {"code": code}, token)).json()["recovery_codes"]) == 10
    )
    await service.step()
    assert "A second factor was added" in await service.told()
    assert "user.factor_added" in await service.audited()
    export = (await service.get("/v1/users/me/export", token)).text
    assert secret not in export and '"my phone"' in export


async def test_M04_a_recovery_code_is_good_once_and_its_owner_is_told(service: Service, hand: Any) -> None:
    app, codes = await service.with_totp()
    assert len(set(codes)) == 10
    stored = {bytes(row.code_hash) for row in await service.rows(RECOVERY_CODES)}
    assert len(stored) == 10 and not any(code.replace("-", "").encode() in kept for code in codes for kept in stored)
    await service.told()
    sloppy = codes[0].upper().replace("-", " ").replace("0", "O").replace("1", "L")
    assert (await service.post_("/recovery-code", {"step_token": await service.step(), "code": sloppy})).is_success
    assert await service.told() == ["A recovery code was used"]
    for code in (codes[0], "0000-0000-0000-0000", "ü"):
        answer = await service.post_("/recovery-code", {"step_token": await service.step(), "code": code})
        assert refused(answer, 401, "auth.code_refused")
    hand.advance(minutes=1)
    given = await service.post_("/totp", {"step_token": await service.step(), "code": app.at(clock.now())})
    new = await service.post_("/factors/recovery-codes", {}, given.json()["access_token"])
    assert len(set(new.json()["recovery_codes"]) - set(codes)) == 10
    assert await service.told() == ["You have new recovery codes"]
    old = await service.post_("/recovery-code", {"step_token": await service.step(), "code": codes[1]})
    assert refused(old, 401, "auth.code_refused")
    fresh = {"step_token": await service.step(), "code": new.json()["recovery_codes"][9]}
    assert (await service.post_("/recovery-code", fresh)).status_code == 200
    listed = (await service.get("/v1/auth/factors", given.json()["access_token"])).json()
    assert listed["recovery_codes_left"] == 9


@pytest.mark.parametrize("kind", ["totp", "recovery-code"])
async def test_M02_M04_of_twenty_uses_of_one_code_at_once_one_succeeds(service: Service, hand: Any, kind: str) -> None:
    app, codes = await service.with_totp()
    hand.advance(minutes=1)
    code = app.at(clock.now()) if kind == "totp" else codes[0]
    clients = [service.at(f"198.51.100.{number}") for number in range(20)]
    steps = [await service.step(client=client) for client in clients]
    answers = await asyncio.gather(
        *(
            service.post_(f"/{kind}", {"step_token": step, "code": code}, client=client)
            for step, client in zip(steps, clients, strict=True)
        )
    )
    found = sorted(answer.status_code for answer in answers)
    assert found.count(200) == 1 and set(found) <= {200, 401, 429}, found


async def test_M04_of_twenty_uses_of_one_step_at_once_one_gives_a_log_in(service: Service, hand: Any) -> None:
    _, codes = await service.with_totp()
    step = await service.step()
    sent = [{"step_token": step, "code": codes[number % 10]} for number in range(20)]
    answers = await asyncio.gather(*(service.post_("/recovery-code", each) for each in sent))
    assert [answer.status_code for answer in answers].count(200) == 1


@pytest.mark.parametrize("algorithm", [Es256, Rs256, EdDsa])
async def test_M07_a_passkey_of_each_algorithm_is_a_second_factor_and_an_only_one(
    service: Service, algorithm: Any
) -> None:
    key = await service.with_passkey(algorithm=algorithm())
    answer = await service.log_in()
    assert answer.json()["factors"] == ["passkey", "recovery_code"]
    second = await service.by_passkey(key, answer.json()["step_token"])
    assert second.status_code == 200, second.text
    alone = await service.by_passkey(key)
    assert alone.status_code == 200, alone.text
    for given in (second, alone):
        caller = await service.identity.authenticate([f"Bearer {given.json()['access_token']}"])
        assert caller.has_factor and "pop" in caller.amr
        assert (await service.get("/v1/users/me", given.json()["access_token"])).json()["email"] == "ada@example.com"


WRONG: list[dict[str, Any]] = [
    {"challenge": b64(b"x" * 32)},
    {"origin": "https://evil.example"},
    {"origin": "https://imba.example.evil.example"},
    {"origin": "http://imba.example"},
    {"origin": "https://imba.example:444"},
    {"rp_id": "evil.example"},
    {"cross_origin": True},
]


@pytest.mark.parametrize("wrong", [*WRONG, {"type": "webauthn.get"}, {"flags": AT}], ids=str)
async def test_M05_a_registration_is_refused_for_a_wrong(service: Service, wrong: dict[str, Any]) -> None:
    await service.person()
    token = await service.token()
    answer = await service.add_passkey(Authenticator(), token, **wrong)
    assert refused(answer, 400, "identity.passkey_malformed")
    assert await service.rows(PASSKEYS) == []


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "second"])
async def test_M05_a_log_in_is_refused_for_a_wrong(service: Service, alone: bool) -> None:
    key = await service.with_passkey()
    step = None if alone else await service.step()
    signature = {"response": {"signature": b64(b"x" * 70)}}
    handle = {"response": {"userHandle": b64(b"x" * 16)}}
    for wrong in (*WRONG, {"type": "webauthn.create"}, {"flags": 0}, signature, handle, *([{"flags": UP}] * alone)):
        assert refused(await service.by_passkey(key, step, **wrong), 401, "auth.passkey_refused"), wrong
    assert refused(await service.by_passkey(Authenticator(), step), 401, "auth.passkey_refused")
    assert (await service.by_passkey(key, step)).status_code == 200


async def test_M05_a_second_factor_may_lack_user_verification_and_an_only_one_may_not(service: Service) -> None:
    key = await service.with_passkey()
    assert (await service.by_passkey(key, await service.step(), flags=UP)).status_code == 200
    assert refused(await service.by_passkey(key, flags=UP), 401, "auth.passkey_refused")


async def test_M05_a_challenge_is_used_once_dies_in_five_minutes_and_belongs_to_who_asked(
    service: Service, hand: Any
) -> None:
    key = await service.with_passkey()
    asked = (await service.post_("/passkey/options", {"step_token": await service.step()})).json()
    used = {"step_token": asked["step_token"], "credential": key.get(asked["public_key"])}
    wrong = {**used, "credential": key.get(asked["public_key"], origin="https://evil.example")}
    assert refused(await service.post_("/passkey", wrong), 401, "auth.passkey_refused")
    assert refused(await service.post_("/passkey", used), 401, "auth.passkey_refused"), "the first try used it up"
    late = (await service.post_("/passkey/options", {"step_token": asked["step_token"]})).json()
    hand.advance(minutes=5)
    sent = {"step_token": late["step_token"], "credential": key.get(late["public_key"])}
    assert refused(await service.post_("/passkey", sent), 401, "auth.passkey_refused")
    mine, theirs = [(await service.post_("/passkey/options", {})).json() for _ in range(2)]
    stolen = {"step_token": theirs["step_token"], "credential": key.get(mine["public_key"])}
    assert refused(await service.post_("/passkey", stolen), 401, "auth.passkey_refused")
    # A registration belongs to its log-in too, and to that purpose.
    await service.person("bob@example.com")
    one, other = await service.token("bob@example.com"), await service.token("bob@example.com")
    question = (await service.post_("/factors/passkeys/options", {}, one)).json()["public_key"]
    await service.post_("/factors/passkeys/options", {}, other)
    made = {"credential": Authenticator().create(question)}
    assert refused(await service.post_("/factors/passkeys", made, other), 400, "identity.passkey_malformed")
    assert (await service.post_("/factors/passkeys", made, one)).status_code == 201


async def test_M05_a_passkey_of_another_is_no_second_factor_here(service: Service) -> None:
    await service.with_passkey()
    theirs = await service.with_passkey("bob@example.com")
    assert refused(await service.by_passkey(theirs, await service.step()), 401, "auth.passkey_refused")
    assert (await service.by_passkey(theirs, await service.step("bob@example.com"))).status_code == 200


async def test_M06_a_counter_that_goes_back_is_refused_and_written_down(service: Service) -> None:
    key = await service.with_passkey(counter=5, step=1)
    assert (await service.by_passkey(key)).status_code == 200
    for counter in (6, 5, 0):
        assert refused(await service.by_passkey(key, counter=counter), 401, "auth.passkey_refused")
    assert (await service.audited()).count("passkey.counter_went_back") == 3
    assert (await service.by_passkey(key, counter=7)).status_code == 200
    synced = await service.with_passkey("bob@example.com")
    for _ in range(3):
        assert (await service.by_passkey(synced)).status_code == 200


async def test_M07_what_is_no_passkey_is_400_and_never_500(service: Service) -> None:
    await service.person()
    token = await service.token()
    good = Authenticator()
    bad: list[Any] = [{}, {"id": "x"}, {"id": 1, "response": []}, {"id": "é", "rawId": "é", "type": "public-key"}]
    responses: list[Any] = [
        {"attestationObject": value}
        for value in ("", "AA", b64(b"\xa0"), b64(b"\xff" * 40), b64(b"\x9f" * 5000), "é", 1)
    ] + [{"clientDataJSON": value} for value in ("", b64(b"[]"), b64(b"{"), b64(b"[" * 9000), 1)]
    for each in responses:
        options = (await service.post_("/factors/passkeys/options", {}, token)).json()["public_key"]
        bad.append(good.create(options, response=each))
    for statement in ({"fmt": "tpm"}, {"fmt": "packed"}, {"fmt": "none", "statement": {"sig": b"x"}}, {"fmt": "odd"}):
        options = (await service.post_("/factors/passkeys/options", {}, token)).json()["public_key"]
        bad.append(good.create(options, **statement))
    for credential in bad:
        await service.post_("/factors/passkeys/options", {}, token)
        answer = await service.post_("/factors/passkeys", {"credential": credential}, token)
        assert refused(answer, 400, "identity.passkey_malformed"), credential
    for credential in bad:
        asked = (await service.post_("/passkey/options", {})).json()
        answer = await service.post_("/passkey", {"step_token": asked["step_token"], "credential": credential})
        assert refused(answer, 401, "auth.passkey_refused"), credential
    long = Authenticator(credential_id=b"x" * 1024)
    assert refused(await service.add_passkey(long, token), 400, "identity.passkey_malformed")
    assert (await service.add_passkey(Authenticator(credential_id=b"x" * 1023), token)).status_code == 201
    huge = await service.post_("/factors/passkeys", {"credential": {"id": "x" * 70_000}}, token)
    assert huge.status_code == 422


async def test_M07_a_credential_that_is_registered_is_refused(service: Service) -> None:
    key = await service.with_passkey()
    await service.person("bob@example.com")
    assert refused(
        await service.add_passkey(key, await service.token("bob@example.com")), 400, "identity.passkey_malformed"
    )
    assert len(await service.rows(PASSKEYS)) == 1


async def test_M08_options_of_a_log_in_by_passkey_name_nobody_and_are_the_same_for_all(service: Service) -> None:
    await service.with_passkey()
    first, second = [(await service.post_("/passkey/options", {})).json() for _ in range(2)]
    for asked in (first, second):
        assert asked["public_key"].pop("challenge")
    assert first["public_key"] == second["public_key"]
    assert first["public_key"]["allowCredentials"] == []
    assert first["public_key"]["userVerification"] == "required"
    named = await service.client.post("/v1/auth/passkey/options", json={"username": "ada@example.com"})
    assert named.status_code == 422
    (own,) = (await service.post_("/passkey/options", {"step_token": await service.step()})).json()["public_key"][
        "allowCredentials"
    ]
    assert own["transports"] == ["internal"]


async def test_M09_the_last_factor_of_who_must_have_one_stays(service: Service, hand: Any) -> None:
    app, _ = await service.with_totp()
    user_id = (await service.rows(TOTP_SECRETS))[0].user_id
    async with service.database.writing(system("test")) as unit:
        await service.parts.accounts.set_roles(unit.session, user_id, ["reviewer"])
    hand.advance(minutes=1)
    given = await service.post_("/totp", {"step_token": await service.step(), "code": app.at(clock.now())})
    token = given.json()["access_token"]
    listed = (await service.get("/v1/auth/factors", token)).json()
    assert listed["is_required"]
    (totp,) = listed["items"]
    assert refused(await service.remove(totp["id"], token), 409, "identity.last_factor")
    assert (await service.add_passkey(Authenticator(), token)).status_code == 201
    both = [each["id"] for each in (await service.get("/v1/auth/factors", token)).json()["items"]]
    removed = await asyncio.gather(*(service.remove(each, token) for each in both))
    assert sorted(answer.status_code for answer in removed) == [204, 409], "two at once leave one"
    assert "A second factor was removed" in await service.told()
    async with service.database.writing(system("test")) as unit:
        await service.parts.accounts.set_roles(unit.session, user_id, [])
    (left,) = (await service.get("/v1/auth/factors", token)).json()["items"]
    assert (await service.remove(left["id"], token)).status_code == 204
    assert await service.rows(RECOVERY_CODES) == [], "they stood in for a factor"
    await service.token()


async def test_M09_A10_changing_factors_needs_a_fresh_log_in_with_a_present_factor(service: Service, hand: Any) -> None:
    await service.person()
    weak = await service.token()
    hand.advance(minutes=5, seconds=1)
    stale = await service.post_("/factors/totp", {}, weak)
    assert refused(stale, 401, "auth.insufficient_user_authentication") and stale.json()["max_age"] == 300
    weak = await service.token()
    key = Authenticator()
    assert (await service.add_passkey(key, weak)).status_code == 201
    (held,) = (await service.get("/v1/auth/factors", weak)).json()["items"]
    attempts = [
        await service.post_("/factors/totp", {}, weak),
        await service.post_("/factors/passkeys/options", {}, weak),
        await service.post_("/factors/recovery-codes", {}, weak),
        await service.remove(held["id"], weak),
    ]
    for answer in attempts:
        assert refused(answer, 401, "auth.insufficient_user_authentication")
        assert answer.json()["acr_values"] == "aal2"
    strong = (await service.by_passkey(key)).json()["access_token"]
    assert (await service.post_("/factors/totp", {}, strong)).status_code == 201
    assert refused(await service.remove(str(UUID(int=1)), strong), 404, "request.not_found")
    assert (await service.remove(held["id"], strong)).status_code == 204


async def test_somebody_elses_factor_is_not_there(service: Service) -> None:
    await service.with_passkey()
    (row,) = await service.rows(PASSKEYS)
    await service.person("bob@example.com")
    answer = await service.remove(str(row.id), await service.token("bob@example.com"))
    assert refused(answer, 404, "request.not_found")


async def test_who_must_have_a_factor_sets_it_up_at_the_next_log_in(service: Service) -> None:
    await service.person("ada@example.com", "reviewer")
    await service.person("bob@example.com", "reviewer")
    due = (await service.log_in()).json()
    assert (due["factors"], due["enrolment"]) == ([], True)
    step = {"step_token": due["step_token"]}
    app = pyotp.TOTP((await service.post_("/totp/enrolment", step)).json()["secret"])
    wrong = await service.post_("/totp/enrolment/confirmation", {**step, "code": "000000"})
    assert refused(wrong, 401, "auth.code_refused")
    given = await service.post_("/totp/enrolment/confirmation", {**step, "code": app.at(clock.now())})
    assert given.status_code == 200 and len(given.json()["recovery_codes"]) == 10
    caller = await service.identity.authenticate([f"Bearer {given.json()['access_token']}"])
    assert (caller.roles, caller.has_factor) == ({"reviewer"}, True)
    step = {"step_token": (await service.log_in("bob@example.com")).json()["step_token"]}
    options = (await service.post_("/passkey/enrolment/options", step)).json()["public_key"]
    key = Authenticator()
    made = await service.post_("/passkey/enrolment", {**step, "credential": key.create(options), "name": "key"})
    assert made.status_code == 200 and len(made.json()["recovery_codes"]) == 10, made.text
    assert (await service.by_passkey(key)).status_code == 200


async def test_A10_an_open_log_in_is_made_stronger_and_older_tokens_are_not(service: Service, hand: Any) -> None:
    await service.person()
    weak = (await service.log_in()).json()
    hand.advance(minutes=6)
    asked = await service.post_("/step-up", {}, weak["access_token"])
    assert refused(asked, 401, "auth.insufficient_user_authentication")
    assert refused(
        await service.post_("/step-up", {"password": "wrong " + PASSWORD}, weak["access_token"]),
        401,
        "auth.wrong_credentials",
    )
    fresh = (await service.post_("/step-up", {"password": PASSWORD}, weak["access_token"])).json()["access_token"]
    key = Authenticator()
    assert (await service.add_passkey(key, fresh)).status_code == 201
    step = (await service.post_("/step-up", {"password": PASSWORD}, weak["access_token"])).json()
    assert step["factors"] == ["passkey", "recovery_code"], "a password is no proof where there is a factor"
    strong = (await service.by_passkey(key, step["step_token"])).json()
    assert "refresh_token" not in strong
    callers = [await service.identity.authenticate([f"Bearer {each['access_token']}"]) for each in (strong, weak)]
    assert [caller.has_factor for caller in callers] == [True, False]
    assert callers[0].session_id == callers[1].session_id
    assert callers[0].authentication_age == 0
    refreshed = await service.parts.sessions.refresh(weak["refresh_token"])
    assert (await service.identity.authenticate([f"Bearer {refreshed.access_token}"])).has_factor


@pytest.mark.parametrize("service", [{"required": "everyone"}], indirect=True)
async def test_A02_a_short_password_is_taken_where_a_second_factor_is_required(service: Service) -> None:
    await service.person("ada@example.com", password="qv7mzk2p")
    too_short = {"email": "bob@example.com", "password": "qv7mzk2", "full_name": "Bob"}
    assert (await service.client.post("/v1/users", json=too_short)).status_code == 422


async def test_A02_the_role_decides_whether_a_short_password_is_taken(service: Service) -> None:
    short = {"current_password": PASSWORD, "new_password": "qv7mzk2p"}
    await service.person()
    refusal = await service.post_("/password", short, await service.token())
    assert refused(refusal, 422, "request.invalid")
    await service.person("bob@example.com", "reviewer")
    step = {"step_token": (await service.log_in("bob@example.com")).json()["step_token"]}
    app = pyotp.TOTP((await service.post_("/totp/enrolment", step)).json()["secret"])
    given = await service.post_("/totp/enrolment/confirmation", {**step, "code": app.at(clock.now())})
    assert (await service.post_("/password", short, given.json()["access_token"])).status_code == 204


async def test_a_person_who_leaves_leaves_no_factor_behind(service: Service) -> None:
    await service.with_totp()
    user_id = (await service.rows(TOTP_SECRETS))[0].user_id
    async with service.database.writing(system("test")) as unit:
        await service.parts.personal_data.erase(unit.session, user_id)
    assert [await service.rows(table) for table in (TOTP_SECRETS, RECOVERY_CODES)] == [[], []]


async def test_staff_reset_the_factors_of_who_has_lost_them_and_they_are_told(service: Service, hand: Any) -> None:
    app, _ = await service.with_totp("bob@example.com")
    (row,) = await service.rows(TOTP_SECRETS)
    hand.advance(minutes=1)
    step = await service.step("bob@example.com")
    theirs = (await service.post_("/totp", {"step_token": step, "code": app.at(clock.now())})).json()["access_token"]
    await service.person("ada@example.com", "admin")
    await service.told()
    path, admin = f"/v1/users/{row.user_id}/factors", await service.token()
    answers = [
        await service.client.delete(path, headers={"Authorization": f"Bearer {token}"}) for token in (theirs, admin)
    ]
    assert [answer.status_code for answer in answers] == [403, 204]
    assert (await service.rows(TOTP_SECRETS), await service.rows(RECOVERY_CODES)) == ([], [])
    assert (await service.get("/v1/users/me", theirs)).status_code == 401
    assert await service.told() == ["A second factor was removed"]
    assert "user.factors_reset" in await service.audited()
    await service.token("bob@example.com")
    hand.advance(minutes=6)
    late = await service.client.delete(path, headers={"Authorization": f"Bearer {admin}"})
    assert refused(late, 401, "auth.insufficient_user_authentication")


async def test_a_log_in_keeps_the_scope_that_it_asked_for(service: Service, hand: Any) -> None:
    app, _ = await service.with_totp()
    hand.advance(minutes=1)
    form = {"grant_type": "password", "username": "ada@example.com", "password": PASSWORD, "scope": "books.read"}
    step = (await service.client.post("/v1/auth/token", data=form)).json()["step_token"]
    given = (await service.post_("/totp", {"step_token": step, "code": app.at(clock.now())})).json()
    assert given["scope"] == "books.read"
