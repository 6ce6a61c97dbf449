"""The path operations of identity, in a plain FastAPI application.

What depends on the database is tested below HTTP, in tests/identity, on both; here SQLite does, save for races.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from freehold.identity import Cost, Identity, PasswordPolicy, UserCreate, UserMixin
from freehold.jobs import Jobs
from freehold.mail import Mailer
from freehold.resource import clock
from freehold.resource.access import Access, owner, role
from freehold.resource.principal import system
from freehold.store.audit import AUDIT
from freehold.store.database import Database
from freehold.testing import Clock
from freehold.traffic.limits_memory import MemoryLimiter
from freehold.web.identity import identity_router
from freehold.web.problems import install_handlers
from freehold.web.runtime import Runtime
from tests.bases import AccountBase as Base
from tests.kept import Kept, kept, with_tables

pytestmark = pytest.mark.anyio

PASSWORD = "lantern quarry velvet 42"
SECRET = "0123456789abcdef0123456789abcdef"


class Resident(UserMixin, Base):
    __tablename__ = "test_residents"

    phone: Mapped[str | None] = mapped_column(default=None)


class ResidentCreate(UserCreate):
    phone: str | None = None


def words(message: Any) -> str:
    """The plain text of a letter, whose HTML has the same links."""
    text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for line in text.splitlines():
        assert not line.startswith("http") or html.count(f'href="{line}"') == 2, html
    return str(text)


class Outbox:
    """A mail transport that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def deliver(self, message: Any) -> None:
        self.messages.append(message)

    def token(self) -> str:
        body: str = words(self.messages[-1])
        return body.partition("token=")[2].split()[0]


class Service:
    """An application with identity, and short ways to use it."""

    def __init__(self, database: Database, *, limits: int | None = None, conceal: bool = False) -> None:
        self.database, self.outbox = database, Outbox()
        self.identity = Identity(
            user=Resident,
            create=ResidentCreate,
            roles=("reviewer", "admin"),
            staff_roles=("reviewer", "admin"),
            policy=PasswordPolicy(service_name="Imba"),
            cost=Cost(memory_kib=64, passes=1),
        )
        mailer = Mailer(self.outbox, sender="Imba <no-reply@imba.example>")
        self.parts = self.identity.bind(
            database,
            secret=SECRET,
            public_url="https://imba.example",
            mailer=mailer,
            limiter=MemoryLimiter(factor=limits),
            conceal_accounts=conceal,
        )
        self.jobs = Jobs(database, jobs=[mailer.job, self.identity.reset_job], principals=self._principal)
        self.app = FastAPI(redirect_slashes=False)
        self.app.include_router(identity_router(self.identity))
        install_handlers(self.app)
        self.app.state.freehold = Runtime(database=database, authenticator=self.identity)
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app, client=("192.0.2.1", 1)), base_url="http://evil.example"
        )

    @staticmethod
    async def _principal(_snapshot: Any) -> Any:
        return None

    async def register(self, email: str = "ada@example.com", **more: Any) -> httpx2.Response:
        body = {"email": email, "password": PASSWORD, "full_name": "Ada Lovelace", **more}
        return await self.client.post("/v1/users", json=body)

    async def token(self, email: str = "ada@example.com", password: str = PASSWORD, **more: str) -> httpx2.Response:
        form = {"grant_type": "password", "username": email, "password": password, **more}
        return await self.client.post("/v1/auth/token", data=form)

    async def refresh(self, token: str) -> httpx2.Response:
        return await self.client.post("/v1/auth/token", data={"grant_type": "refresh_token", "refresh_token": token})

    async def bearer(self, email: str = "ada@example.com", **more: str) -> dict[str, str]:
        answer = await self.token(email, **more)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def person(self, email: str, *roles: str) -> tuple[str, dict[str, str]]:
        """A registered account with roles: its id and its Authorization header."""
        user_id = (await self.register(email)).json()["id"]
        if roles:
            async with self.database.writing(system("test")) as unit:
                await self.parts.accounts.set_roles(unit.session, UUID(user_id), roles)
        return user_id, await self.bearer(email)

    async def stepped_up(self, headers: dict[str, str]) -> dict[str, str]:
        """The same log-in, after its owner has given the password once more."""
        answer = await self.client.post("/v1/auth/step-up", json={"password": PASSWORD}, headers=headers)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def work(self) -> None:
        """Run what is owed."""
        await self.jobs.run_pending()


def _open(url: str) -> Database:
    database = Database.open(url)
    database.registry.protect(Resident, Access(read=owner("id") | role("reviewer", "admin")))
    return database


@pytest.fixture(scope="module")
async def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    async with kept(
        _open(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('identity')}/test.db"), with_tables(Resident.__table__)
    ) as found:
        yield found


@asynccontextmanager
async def _service(kept_database: Kept, **options: Any) -> AsyncIterator[Service]:
    async with kept_database.lent() as database:
        made = Service(database, **options)
        await made.identity.start()
        yield made
        await made.client.aclose()
        await made.identity.close()


@pytest.fixture
async def service(on_sqlite: Kept) -> AsyncIterator[Service]:
    async with _service(on_sqlite) as made:
        yield made


@pytest.fixture
async def on_each_database(database_url: str) -> AsyncIterator[Service]:
    async with kept(_open(database_url), with_tables(Resident.__table__)) as found, _service(found) as made:
        yield made


@pytest.fixture
async def limited(on_sqlite: Kept) -> AsyncIterator[Service]:
    async with _service(on_sqlite, limits=1) as made:
        yield made


@pytest.fixture
def hand() -> Iterator[Clock]:
    with Clock() as moved:
        yield moved


@pytest.fixture
async def concealing(on_sqlite: Kept) -> AsyncIterator[Service]:
    async with _service(on_sqlite, conceal=True) as made:
        yield made


class TestRegistration:
    async def test_a_new_account_is_answered_without_its_password(self, service: Service) -> None:
        answer = await service.register(phone="+100")
        assert answer.status_code == 201, answer.text
        body = answer.json()
        assert set(body) == {
            "id", "email", "full_name", "roles", "is_active", "email_verified_at", "created_at", "updated_at"
        }  # fmt: skip
        assert body["roles"] == []
        assert answer.headers["location"] == f"/v1/users/{body['id']}"
        read = await service.client.get(answer.headers["location"], headers=await service.bearer())
        assert read.json() == body
        assert read.headers["etag"] == answer.headers["etag"]

    async def test_Z04_what_the_client_may_not_set_is_refused(self, service: Service) -> None:
        for field in ("role", "roles", "is_active", "email_verified_at", "id", "password_hash", "row_version"):
            assert (await service.register(**{field: "admin"})).status_code == 422, field
        assert (await service.token()).status_code == 401

    async def test_A01_a_taken_address_is_a_plain_conflict(self, service: Service) -> None:
        await service.register()
        answer = await service.register("ADA@Example.com")
        assert (answer.status_code, answer.json()["code"]) == (409, "identity.email_taken")

    async def test_A01_where_accounts_are_concealed_both_answers_are_alike(self, concealing: Service) -> None:
        first, second = await concealing.register(), await concealing.register()
        assert (first.status_code, first.content) == (second.status_code, second.content) == (202, b"{}")
        assert first.headers == second.headers
        await concealing.work()
        subjects = [message["Subject"] for message in concealing.outbox.messages]
        assert ["Confirm" in subject for subject in subjects] == [True, False]
        assert "already have an account" in subjects[1]
        assert (await concealing.token()).status_code == 200

    async def test_A11_many_registrations_at_once_give_one_account(self, on_each_database: Service) -> None:
        service = on_each_database
        spellings = ["ada@example.com", "ADA@example.com", "\uff41\uff44\uff41@example.com", "Ada@EXAMPLE.COM"] * 13
        answers = await asyncio.gather(*(service.register(spelling) for spelling in spellings[:50]))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [201] + [409] * 49

    async def test_A02_A04_a_poor_password_is_refused_with_the_reason(self, service: Service) -> None:
        poor = {
            "x" * 8: "password.too_short",
            "fourteen chars": "password.too_short",
            "ab" * 128 + "c": "password.too_long",
            "passwordpassword": "password.common",
            "my IMBA password here": "password.holds_name",
            "remember lovelace 1815": "password.holds_name",
        }
        for password, code in poor.items():
            answer = await service.register(password=password)
            assert answer.status_code == 422
            assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/password", code)]
            assert password not in answer.text

    async def test_A02_A03_a_long_password_of_any_make_is_taken_whole(self, service: Service) -> None:
        chinese = "\u5bc6\u7801\u5f88\u957f\u7684\u4e00\u53e5\u8bdd" * 9
        taken = [
            "lower case letters only",
            "x7" * 32,
            chinese,
            "z9" * 128,
            "astronaut \U0001f469\u200d\U0001f680 and more",
        ]
        for number, password in enumerate(taken):
            email = f"p{number}@example.com"
            assert (await service.register(email, password=password)).status_code == 201
            assert (await service.token(email, password)).status_code == 200
            assert (await service.token(email, password[:-1])).status_code == 401
            assert (await service.token(email, password + " ")).status_code == 401

    async def test_I02_a_registration_is_replayed_by_its_key(self, on_each_database: Service) -> None:
        service = on_each_database
        body = {"email": "ada@example.com", "password": PASSWORD, "full_name": "Ada"}
        first, second = [
            await service.client.post("/v1/users", json=body, headers={"Idempotency-Key": "k1"}) for _ in range(2)
        ]
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()
        assert second.headers["idempotent-replayed"] == "true"

    async def test_V02_what_is_no_registration_is_refused(self, service: Service) -> None:
        twice = '{"email":"a@b.c","email":"a@b.c"}'
        for body in ("", "[]", "{", '{"email": 5}', twice, '"text"', "null", '{"password": null}'):
            answer = await service.client.post("/v1/users", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in {400, 422}, body
            assert answer.headers["content-type"] == "application/problem+json"


class TestLogIn:
    async def test_the_answer_is_that_of_oauth(self, service: Service) -> None:
        await service.register()
        answer = await service.token()
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        body = answer.json()
        assert set(body) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
        assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, "")

    async def test_A01_nothing_tells_an_unknown_account_from_a_wrong_password(self, on_each_database: Service) -> None:
        service = on_each_database
        await service.register()
        answers = [await service.token(password="wrong"), await service.token("nobody@example.com")]
        answers += [await service.token("no address at all"), await service.token("nul\0@example.com")]
        documents = [answer.json() for answer in answers]
        for document in documents:
            assert document.pop("instance")
            assert document.pop("request_id")
        assert {answer.status_code for answer in answers} == {401}
        assert documents.count(documents[0]) == len(documents)
        assert all(answer.headers == answers[0].headers for answer in answers)

    async def test_A05_case_the_whole_length_and_nul_count(self, service: Service) -> None:
        password = "a long enough pässword " * 4 + "End"
        assert len(password) > 73
        await service.register(password=password)
        for wrong in (
            password.swapcase(),
            password[:-1] + "D",
            password + "\0",
            password[:-1] + "\0d",
            password + "\0x",
        ):
            assert (await service.token(password=wrong)).status_code == 401
        for form in ("NFC", "NFD"):
            assert (await service.token(password=unicodedata.normalize(form, password))).status_code == 200

    async def test_A08_many_accounts_from_one_address_are_stopped_before_a_hundred(self, limited: Service) -> None:
        statuses = [(await limited.token(f"p{number}@example.com")).status_code for number in range(100)]
        assert statuses.count(401) == 60
        assert set(statuses[60:]) == {429}

    async def test_A07_R01_the_sixth_try_in_a_minute_is_429_with_its_headers(self, limited: Service) -> None:
        for email in ("ada@example.com", "nobody@example.com"):
            answers = [await limited.token(email, "wrong") for _ in range(6)]
            assert [answer.status_code for answer in answers] == [401] * 5 + [429]
            last = answers[-1]
            assert 1 <= int(last.headers["retry-after"]) <= 60
            assert last.headers["ratelimit-policy"] == '"login";q=5;w=60'
            assert last.headers["ratelimit"].startswith('"login";r=0;t=')
            assert last.json()["violated-policies"] == ["login"]

    async def test_what_the_token_route_refuses(self, service: Service) -> None:
        password = {"grant_type": "password", "username": "a", "password": "b"}
        cases: list[tuple[dict[str, Any], int, str]] = [
            ({"more": "x"}, 400, "auth.invalid_request"),
            ({"grant_type": "client_credentials"}, 400, "auth.unsupported_grant_type"),
            ({"grant_type": "password"}, 400, "auth.invalid_request"),
            ({"grant_type": "password", "username": "a@example.com"}, 400, "auth.invalid_request"),
            ({"grant_type": "refresh_token"}, 400, "auth.invalid_request"),
            ({"grant_type": "refresh_token", "refresh_token": "fhr_x"}, 401, "auth.invalid_grant"),
            ({**password, "grant_type": ["password", "password"]}, 400, "auth.invalid_request"),
            ({**password, "scope": 'a"b'}, 422, "auth.invalid_scope"),
            ({**password, "scope": "a  b"}, 422, "auth.invalid_scope"),
            ({**password, "more": "x"}, 401, "auth.wrong_credentials"),
        ]
        for form, status, code in cases:
            answer = await service.client.post("/v1/auth/token", data=form)
            assert (answer.status_code, answer.json()["code"]) == (status, code), form

    async def test_V04_the_token_route_takes_forms_only(self, service: Service) -> None:
        answer = await service.client.post("/v1/auth/token", json={"grant_type": "password"})
        assert answer.status_code == 415

    async def test_an_old_bearer_token_does_not_stand_in_the_way_of_a_new_one(self, service: Service) -> None:
        await service.register()
        form = {"grant_type": "password", "username": "ada@example.com", "password": PASSWORD}
        answer = await service.client.post("/v1/auth/token", data=form, headers={"Authorization": "Bearer old"})
        assert answer.status_code == 200

    async def test_T06_T07_refresh_rotates_and_reuse_is_401(self, service: Service) -> None:
        await service.register()
        first = (await service.token()).json()
        second = await service.refresh(first["refresh_token"])
        assert second.status_code == 200
        assert second.headers["cache-control"] == "no-store"
        assert (await service.refresh(first["refresh_token"])).json() == second.json(), "a retry within the grace"
        third = await service.refresh(second.json()["refresh_token"])
        assert third.status_code == 200
        reuse = await service.refresh(first["refresh_token"])
        assert (reuse.status_code, reuse.json()["code"]) == (401, "auth.invalid_grant")
        assert (await service.refresh(third.json()["refresh_token"])).status_code == 401

    async def test_T11_revocation_ends_the_log_in(self, service: Service) -> None:
        await service.register()
        given = (await service.token()).json()
        headers = {"Authorization": f"Bearer {given['access_token']}"}
        assert (await service.client.get("/v1/users/me", headers=headers)).status_code == 200
        for token in (given["refresh_token"], given["refresh_token"], "unknown"):
            answer = await service.client.post("/v1/auth/revocation", data={"token": token})
            assert answer.status_code == 200
        refused = await service.client.get("/v1/users/me", headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert (await service.refresh(given["refresh_token"])).status_code == 401

    async def test_T13_the_scheme_is_read_in_any_case_and_one_header_only(self, service: Service) -> None:
        await service.register()
        token = (await service.token()).json()["access_token"]
        for scheme in ("bearer", "BEARER", "Bearer"):
            answer = await service.client.get("/v1/users/me", headers={"Authorization": f"{scheme} {token}"})
            assert answer.status_code == 200
        pair = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
        assert (await service.client.get("/v1/users/me", headers=pair)).status_code in (400, 401)
        assert (await service.client.get(f"/v1/users/me?access_token={token}")).status_code in (400, 401, 422)


class TestAccount:
    async def test_one_changes_ones_own_name_and_nothing_else(self, service: Service) -> None:
        _, headers = await service.person("ada@example.com")
        read = await service.client.get("/v1/users/me", headers=headers)
        answer = await service.client.patch(
            "/v1/users/me", json={"full_name": "Ada King"}, headers={**headers, "If-Match": read.headers["etag"]}
        )
        assert (answer.status_code, answer.json()["full_name"]) == (200, "Ada King")
        stale = await service.client.patch(
            "/v1/users/me", json={"full_name": "Ada B"}, headers={**headers, "If-Match": read.headers["etag"]}
        )
        assert stale.status_code == 412
        for body in ({"roles": ["admin"]}, {"email": "b@example.com"}, {"full_name": None}, {"full_name": "a\nb"}):
            assert (await service.client.patch("/v1/users/me", json=body, headers=headers)).status_code == 422
        assert (await service.client.get("/v1/users/me", headers=headers)).json()["full_name"] == "Ada King"

    async def test_X01_an_account_known_already_is_304(self, service: Service) -> None:
        _, headers = await service.person("ada@example.com")
        tag = (await service.client.get("/v1/users/me", headers=headers)).headers["etag"]
        again = await service.client.get("/v1/users/me", headers={**headers, "If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)

    async def test_Z02_another_account_is_404_save_for_staff(self, service: Service) -> None:
        ada, of_ada = await service.person("ada@example.com")
        bob, of_bob = await service.person("bob@example.com")
        _, of_staff = await service.person("staff@example.com", "reviewer")
        hidden = await service.client.get(f"/v1/users/{bob}", headers=of_ada)
        absent = await service.client.get("/v1/users/0198a000-0000-7000-8000-000000000000", headers=of_ada)
        malformed = await service.client.get("/v1/users/x", headers=of_ada)
        assert [answer.status_code for answer in (hidden, absent, malformed)] == [404] * 3
        assert hidden.json()["code"] == absent.json()["code"]
        assert (await service.client.get(f"/v1/users/{ada}", headers=of_ada)).status_code == 200
        assert (await service.client.get(f"/v1/users/{bob}", headers=of_staff)).status_code == 200
        assert (await service.client.get(f"/v1/users/{bob}")).status_code == 401
        assert of_bob

    async def test_T15_roles_are_given_by_admins_and_count_at_once(self, on_each_database: Service) -> None:
        service = on_each_database
        ada, of_ada = await service.person("ada@example.com")
        reviewer, of_reviewer = await service.person("rev@example.com", "reviewer")
        _, of_admin = await service.person("root@example.com", "admin")
        for headers in (of_ada, of_reviewer):
            answer = await service.client.put(f"/v1/users/{ada}/roles", json={"roles": ["admin"]}, headers=headers)
            assert answer.status_code == 403
        given = await service.client.put(f"/v1/users/{ada}/roles", json={"roles": ["reviewer"]}, headers=of_admin)
        assert (given.status_code, given.json()["roles"]) == (200, ["reviewer"])
        assert (await service.client.get(f"/v1/users/{reviewer}", headers=of_ada)).status_code == 200
        await service.client.put(f"/v1/users/{ada}/roles", json={"roles": []}, headers=of_admin)
        assert (await service.client.get(f"/v1/users/{reviewer}", headers=of_ada)).status_code == 404
        unknown = await service.client.put(f"/v1/users/{ada}/roles", json={"roles": ["king"]}, headers=of_admin)
        assert unknown.status_code == 422

    async def test_A14_a_suspended_account_is_out_at_once(self, service: Service) -> None:
        ada, of_ada = await service.person("ada@example.com")
        _, of_admin = await service.person("root@example.com", "admin")
        given = (await service.token()).json()
        assert (await service.client.put(f"/v1/users/{ada}/suspension", headers=of_ada)).status_code == 403
        assert (await service.client.put(f"/v1/users/{ada}/suspension", headers=of_admin)).status_code == 200
        assert (await service.client.get("/v1/users/me", headers=of_ada)).status_code == 401
        assert (await service.refresh(given["refresh_token"])).status_code == 401
        assert (await service.token()).status_code == 401
        assert (await service.client.delete(f"/v1/users/{ada}/suspension", headers=of_admin)).status_code == 204
        assert (await service.token()).status_code == 200

    async def test_A14_an_erased_account_leaves_no_personal_data(self, on_each_database: Service) -> None:
        service = on_each_database
        ada, of_ada = await service.person("ada@example.com")
        _, of_staff = await service.person("staff@example.com", "admin")
        given = (await service.token()).json()
        assert (await service.client.delete("/v1/users/me", headers=of_ada)).status_code == 204
        assert (await service.client.get("/v1/users/me", headers=of_ada)).status_code == 401
        assert (await service.refresh(given["refresh_token"])).status_code == 401
        left = (await service.client.get(f"/v1/users/{ada}", headers=of_staff)).json()
        assert (left["email"], left["full_name"], left["is_active"]) == (f"{ada}@deleted.invalid", "", False)
        assert (await service.register()).status_code == 201, "the address is free again"

    async def test_an_export_holds_what_is_known_and_no_secret(self, service: Service) -> None:
        await service.register(phone="+100")
        headers = await service.bearer()
        answer = await service.client.get("/v1/users/me/export", headers=headers)
        assert answer.status_code == 200
        assert answer.json()["user"]["phone"] == "+100"
        assert answer.json()["sessions"][0]["address"] == "192.0.2.1"
        assert "argon2" not in answer.text

    async def test_Z07_a_restricted_token_does_not_touch_the_account(self, service: Service) -> None:
        await service.register()
        headers = await service.bearer(scope="books")
        assert (await service.client.get("/v1/users/me", headers=headers)).status_code == 200
        for method, path in (("DELETE", "/v1/users/me"), ("GET", "/v1/auth/sessions"), ("POST", "/v1/auth/password")):
            answer = await service.client.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "auth.insufficient_scope")

    async def test_A10_to_leave_for_good_needs_a_log_in_of_the_last_minutes(
        self, service: Service, hand: Clock
    ) -> None:
        _, headers = await service.person("ada@example.com")
        hand.advance(minutes=5, seconds=1)
        refused = await service.client.delete("/v1/users/me", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "auth.insufficient_user_authentication")
        fresh = await service.stepped_up(headers)
        assert (await service.client.delete("/v1/users/me", headers=fresh)).status_code == 204


class TestStaff:
    async def test_Z11_what_staff_do_to_an_account_needs_a_log_in_of_the_last_minutes(
        self, service: Service, hand: Clock
    ) -> None:
        _, admin = await service.person("boss@example.com", "admin")
        user_id, _ = await service.person("ada@example.com")
        hand.advance(minutes=5, seconds=1)
        changes: list[tuple[str, str, Any, int]] = [
            ("PUT", "roles", {"roles": ["reviewer"]}, 200),
            ("PUT", "suspension", None, 200),
            ("DELETE", "suspension", None, 204),
        ]
        for method, path, body, _ in changes:
            more = {} if body is None else {"json": body}
            refused = await service.client.request(method, f"/v1/users/{user_id}/{path}", headers=admin, **more)
            assert (refused.status_code, refused.json()["code"]) == (401, "auth.insufficient_user_authentication")
            assert 'max_age="300"' in refused.headers["www-authenticate"]
        fresh = await service.stepped_up(admin)
        for method, path, body, status in changes:
            more = {} if body is None else {"json": body}
            done = await service.client.request(method, f"/v1/users/{user_id}/{path}", headers=fresh, **more)
            assert done.status_code == status, done.text
        async with service.database.reading(system("test")) as session:
            wanted = select(AUDIT).where(AUDIT.c.subject_id == user_id, AUDIT.c.principal_id.is_not(None))
            rows = {row.action: row for row in (await session.execute(wanted)).all()}
        assert (rows["user.roles_set"].before, rows["user.roles_set"].after) == ({"roles": []}, {"roles": ["reviewer"]})
        closed = rows["user.disabled"]
        assert (closed.before, closed.after) == ({"is_active": True}, {"is_active": False})


class TestMailedLinks:
    async def test_A12_the_verification_link_is_built_from_the_public_address(self, service: Service) -> None:
        await service.register()
        await service.work()
        (message,) = service.outbox.messages
        assert "https://imba.example/verify-email?token=" in words(message)
        assert "evil" not in str(message)
        for status in (204, 422):
            answer = await service.client.post(
                "/v1/auth/verification/confirmation", json={"token": service.outbox.token()}
            )
            assert answer.status_code == status
        me = await service.client.get("/v1/users/me", headers=await service.bearer())
        assert me.json()["email_verified_at"] is not None

    async def test_a_new_verification_link_kills_the_former(self, service: Service) -> None:
        _, headers = await service.person("ada@example.com")
        await service.work()
        former = service.outbox.token()
        assert (await service.client.post("/v1/auth/verification", headers=headers)).status_code == 202
        await service.work()
        for token, status in ((former, 422), (service.outbox.token(), 204)):
            answer = await service.client.post("/v1/auth/verification/confirmation", json={"token": token})
            assert answer.status_code == status

    async def test_A01_asking_for_a_reset_tells_nothing(self, service: Service) -> None:
        await service.register()
        await service.work()
        answers = [
            await service.client.post("/v1/auth/reset", json={"email": email})
            for email in ("ada@example.com", "nobody@example.com")
        ]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].content == answers[1].content
        assert answers[0].headers == answers[1].headers
        await service.work()
        assert [message["To"] for message in service.outbox.messages[1:]] == ["ada@example.com"]

    async def test_R05_a_mailbox_is_not_flooded_from_many_addresses(self, limited: Service) -> None:
        await limited.register()
        for email in ("ada@example.com", "nobody@example.com"):
            statuses = []
            for number in range(12):
                transport = httpx2.ASGITransport(limited.app, client=(f"198.51.100.{number}", 1))
                async with httpx2.AsyncClient(transport=transport, base_url="http://imba.example") as elsewhere:
                    answer = await elsewhere.post("/v1/auth/reset", json={"email": email.upper()})
                    statuses.append(answer.status_code)
            assert statuses == [202] * 12, "whether or not there is an account, nobody is kept out by those who ask"
        await limited.work()
        assert len([each for each in limited.outbox.messages if "reset" in each.as_string()]) == 10
        assert (await limited.register("new@example.com")).status_code == 201

    async def test_R05_whoever_asks_for_many_resets_keeps_no_owner_out(self, limited: Service) -> None:
        await limited.register()
        door = "/v1/auth/reset"

        async def asked(number: int) -> int:
            """By somebody elsewhere; how many letters have left by then."""
            transport = httpx2.ASGITransport(limited.app, client=(f"198.51.100.{number}", 1))
            async with httpx2.AsyncClient(transport=transport, base_url="http://imba.example") as elsewhere:
                assert (await elsewhere.post(door, json={"email": "ada@example.com"})).status_code == 202
            await limited.work()
            return len([each for each in limited.outbox.messages if "reset" in each.as_string()])

        with Clock() as time:
            letters = [await asked(number) for number in range(11)]
            assert letters == [*range(1, 11), 10]
            link = limited.outbox.token()
            time.advance(minutes=10)
            assert await asked(20) == 10, "the link that came is as good as another"
            time.advance(minutes=6)
            assert await asked(21) == 11, "soon it is too old"
            assert (await limited.client.post(door, json={"email": "ada@example.com"})).status_code == 202
            await limited.work()
            newest = {"token": limited.outbox.token(), "password": "completely different words 7"}
            dead = await limited.client.post(f"{door}/confirmation", json={**newest, "token": link})
            assert dead.status_code == 422
            assert (await limited.client.post(f"{door}/confirmation", json=newest)).status_code == 204

    async def test_A09_the_newest_reset_link_works_once_and_ends_every_log_in(self, on_each_database: Service) -> None:
        service = on_each_database
        _, headers = await service.person("ada@example.com")
        given = (await service.token()).json()
        tokens = []
        for _ in range(2):
            await service.client.post("/v1/auth/reset", json={"email": "ada@example.com"})
            await service.work()
            tokens.append(service.outbox.token())
        new = "completely different words 7"
        for token, status in ((tokens[0], 422), (tokens[1], 204), (tokens[1], 422), ("fho_x", 422)):
            body = {"token": token, "password": new}
            assert (await service.client.post("/v1/auth/reset/confirmation", json=body)).status_code == status
        assert (await service.client.get("/v1/users/me", headers=headers)).status_code == 401
        assert (await service.refresh(given["refresh_token"])).status_code == 401
        assert (await service.token()).status_code == 401
        assert (await service.token(password=new)).status_code == 200

    async def test_A04_the_policy_holds_for_a_reset_too_and_spares_the_link(self, service: Service) -> None:
        await service.register()
        await service.client.post("/v1/auth/reset", json={"email": "ada@example.com"})
        await service.work()
        token = service.outbox.token()
        poor = {"token": token, "password": "lovelace is my password"}
        assert (await service.client.post("/v1/auth/reset/confirmation", json=poor)).status_code == 422
        good = {"token": token, "password": "completely different words 7"}
        assert (await service.client.post("/v1/auth/reset/confirmation", json=good)).status_code == 204


class TestCredentials:
    async def test_A10_T11_a_password_change_needs_the_present_one_and_ends_the_others(self, service: Service) -> None:
        _, here = await service.person("ada@example.com")
        there = await service.bearer()
        new = "completely different words 7"
        wrong = {"current_password": "not this one", "new_password": new}
        assert (await service.client.post("/v1/auth/password", json=wrong, headers=here)).status_code == 401
        right = {"current_password": PASSWORD, "new_password": new}
        assert (await service.client.post("/v1/auth/password", json=right, headers=here)).status_code == 204
        assert (await service.client.get("/v1/users/me", headers=here)).status_code == 200
        assert (await service.client.get("/v1/users/me", headers=there)).status_code == 401
        assert (await service.token(password=new)).status_code == 200
        await service.work()
        assert "password was changed" in service.outbox.messages[-1]["Subject"]

    async def test_A10_a_new_address_is_told_to_the_old_one_and_has_to_be_proved(self, service: Service) -> None:
        await service.person("bob@example.com")
        _, headers = await service.person("ada@example.com")
        await service.work()
        service.outbox.messages.clear()
        body = {"current_password": PASSWORD, "email": "bob@example.com"}
        assert (await service.client.post("/v1/auth/email", json=body, headers=headers)).status_code == 409
        body["email"] = "ada@new.example"
        assert (await service.client.post("/v1/auth/email", json=body, headers=headers)).status_code == 204
        await service.work()
        assert [message["To"] for message in service.outbox.messages] == ["ada@new.example"]
        token = service.outbox.token()
        assert (await service.token("ada@example.com")).status_code == 200, "until the new one is proved"
        assert (await service.token("ada@new.example")).status_code == 401
        link = {"token": token}
        assert (await service.client.post("/v1/auth/verification/confirmation", json=link)).status_code == 204
        assert (await service.client.post("/v1/auth/verification/confirmation", json=link)).status_code == 422
        await service.work()
        assert service.outbox.messages[-1]["To"] == "ada@example.com"
        assert "was changed" in service.outbox.messages[-1]["Subject"]
        assert (await service.token("ada@new.example")).status_code == 200
        assert (await service.token("ada@example.com")).status_code == 401
        assert (await service.client.get("/v1/users/me", headers=headers)).json()["email_verified_at"] is not None

    async def test_A01_a_concealed_account_is_not_told_by_a_change_of_address_either(self, concealing: Service) -> None:
        await concealing.register("bob@example.com")
        await concealing.register("ada@example.com")
        headers = await concealing.bearer("ada@example.com")
        await concealing.work()
        concealing.outbox.messages.clear()
        answers = []
        for email in ("BOB@example.com", "free@example.com"):
            body = {"current_password": PASSWORD, "email": email}
            answers.append(await concealing.client.post("/v1/auth/email", json=body, headers=headers))
        assert [(each.status_code, each.content) for each in answers] == [(204, b"")] * 2
        assert answers[0].headers == answers[1].headers
        await concealing.work()
        letters = {message["To"]: message["Subject"] for message in concealing.outbox.messages}
        assert letters.keys() == {"BOB@example.com", "free@example.com"}
        assert "already have an account" in letters["BOB@example.com"]

    async def test_A11_an_address_that_was_taken_meanwhile_is_not_taken_on(self, service: Service) -> None:
        _, headers = await service.person("ada@example.com")
        body = {"current_password": PASSWORD, "email": "ada@new.example"}
        assert (await service.client.post("/v1/auth/email", json=body, headers=headers)).status_code == 204
        await service.work()
        link = {"token": service.outbox.token()}
        await service.register("ADA@new.example")
        answer = await service.client.post("/v1/auth/verification/confirmation", json=link)
        assert (answer.status_code, answer.json()["code"]) == (409, "identity.email_taken")
        assert (await service.token("ada@example.com")).status_code == 200

    async def test_A10_what_protects_the_account_needs_a_log_in_of_the_last_five_minutes(
        self, service: Service
    ) -> None:
        begin = clock.now()
        clock.set_source(lambda: begin)
        try:
            _, headers = await service.person("ada@example.com")
            body = {"current_password": PASSWORD, "new_password": "completely different words 7"}
            clock.set_source(lambda: begin + timedelta(minutes=5, seconds=1))
            answer = await service.client.post("/v1/auth/password", json=body, headers=headers)
            assert answer.status_code == 401
            assert 'error="insufficient_user_authentication"' in answer.headers["www-authenticate"]
            body = {"current_password": PASSWORD, "email": "ada@new.example"}
            assert (await service.client.post("/v1/auth/email", json=body, headers=headers)).status_code == 401
            clock.set_source(lambda: begin + timedelta(minutes=4, seconds=59))
            assert (await service.client.post("/v1/auth/email", json=body, headers=headers)).status_code == 204
        finally:
            clock.set_source(None)

    async def test_C06_log_ins_are_listed_and_ended_one_by_one(self, service: Service) -> None:
        _, here = await service.person("ada@example.com")
        there = await service.bearer()
        _, other = await service.person("bob@example.com")
        listed = (await service.client.get("/v1/auth/sessions", headers=here)).json()["items"]
        assert sorted(one["is_current"] for one in listed) == [False, True]
        assert all(one["address"] == "192.0.2.1" for one in listed)
        (far,) = [one["id"] for one in listed if not one["is_current"]]
        assert (await service.client.delete(f"/v1/auth/sessions/{far}", headers=other)).status_code == 404
        assert (await service.client.delete(f"/v1/auth/sessions/{far}", headers=here)).status_code == 204
        assert (await service.client.delete(f"/v1/auth/sessions/{far}", headers=here)).status_code == 404
        assert (await service.client.get("/v1/users/me", headers=there)).status_code == 401
        assert (await service.client.delete("/v1/auth/sessions", headers=here)).status_code == 204
        assert (await service.client.get("/v1/users/me", headers=here)).status_code == 401
        assert (await service.client.get("/v1/users/me", headers=other)).status_code == 200


async def test_T12_the_key_set_is_public_cacheable_and_holds_no_private_part(service: Service) -> None:
    answer = await service.client.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=300"
    for key in answer.json()["keys"]:
        assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
        assert (key["kty"], key["crv"], key["alg"]) == ("OKP", "Ed25519", "Ed25519")


async def test_N05_the_document_tells_which_operations_need_a_caller(service: Service) -> None:
    paths = service.app.openapi()["paths"]
    assert paths["/v1/users/me"]["get"]["security"] == [{"bearer": []}]
    assert "security" not in paths["/v1/users"]["post"]
    assert "304" in paths["/v1/users/{id}"]["get"]["responses"]
    ids = [operation["operationId"] for item in paths.values() for operation in item.values()]
    assert len(ids) == len(set(ids)) >= 24


async def test_X04_a_merge_patch_is_taken_by_its_own_name(service: Service) -> None:
    _, headers = await service.person("ada@example.com")
    answer = await service.client.patch(
        "/v1/users/me",
        content=b'{"full_name": "Ada King"}',
        headers={**headers, "Content-Type": "application/merge-patch+json"},
    )
    assert (answer.status_code, answer.json()["full_name"]) == (200, "Ada King")
