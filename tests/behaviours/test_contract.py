"""The OpenAPI documents of two services, held against what the services do (N05, N04, N01, E01)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import iter_route_contexts
from openapi_spec_validator import validate
from services.imba.service import build
from services.imba.settings import ImbaSettings
from services.imba.tests.conftest import person
from services.imba.tests.world import COTTAGE, Person, draft, listed, stay
from tests.behaviours.contract import Document, Recorder
from tests.web.shelf import as_, make, served

from freehold import Freehold
from freehold.settings import Settings
from freehold.testing import Stage, running

pytestmark = pytest.mark.anyio

NEVER = "01a1fd92-9cbf-7151-8e01-dc9ad8489d6d"
PASSWORD = "lantern quarry velvet 42"


class Heard:
    """Every answer that the two services gave in their scenarios."""

    def __init__(self, app: Freehold, recorder: Recorder) -> None:
        self.document = Document(app.openapi())
        self.app = app
        self.kept = recorder.kept


def imba_at(folder: Path) -> Freehold:
    settings = Settings(
        env="test", database_url=f"sqlite+aiosqlite:///{folder}/imba.db", var_dir=folder, limits="off", secret="s" * 40
    )
    return build(core=settings, own=ImbaSettings(), migrations=None)


@asynccontextmanager
async def imba(folder: Path) -> AsyncIterator[Heard]:
    app = imba_at(folder)
    async with running(app) as stage:
        recorder = Recorder(stage._transport)
        stage._transport = recorder  # type: ignore[assignment]
        await _accounts(stage)
        await _stays(stage)
        yield Heard(app, recorder)


@asynccontextmanager
async def shelves(folder: Path) -> AsyncIterator[Heard]:
    app = make(f"sqlite+aiosqlite:///{folder}/shelves.db", folder)
    recorder = Recorder(httpx2.ASGITransport(app=app, raise_app_exceptions=False))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=recorder, base_url="http://localhost") as client,
    ):
        await _shelves(client)
        yield Heard(app, recorder)


@pytest.fixture(scope="module", params=[pytest.param(imba, marks=pytest.mark.long), shelves], ids=["imba", "shelves"])
async def heard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Heard]:
    async with request.param(tmp_path_factory.mktemp("contract")) as found:
        yield found


async def _rough(caller: Person, path: str) -> None:
    """What any operation may be met with. The edge sees it first, then the reader of bodies."""
    await caller.get(path + "?nonsense=1")
    await caller.get(path, If_None_Match="rubbish")
    await caller.get(path, X_Long="x" * 40_000)
    await caller.get(path + "?" + "x" * 9_000)
    await caller.client.request("OPTIONS", path)
    await caller.client.request("HEAD", path)
    await caller.client.request("BREW", path)
    for kind, content in (
        ("application/json", b"{"), ("application/json", b"[]"), ("text/plain", b"x"), ("application/json", b"{}"),
        ("application/json", b'{"nonsense": 1}'), ("application/x-www-form-urlencoded", b"a=b"),
    ):  # fmt: skip
        for method in ("POST", "PATCH", "PUT"):
            await caller.client.request(method, path, content=content, headers={"Content-Type": kind})
    await caller.client.post(path, content=b'"' + b"x" * 2_000_000 + b'"', headers={"Content-Type": "application/json"})
    await caller.client.post(path, json={}, headers={"Idempotency-Key": ""})
    await caller.client.post(path, content=b"x", headers={"Content-Type": "application/json", "Content-Encoding": "br"})


async def _accounts(stage: Stage) -> None:
    nobody = Person(stage.client())
    email = "ada@example.com"
    body = {"email": email, "password": PASSWORD, "full_name": "Ada", "account": "landlord"}
    await nobody.post("/v1/users", body, Idempotency_Key="k")
    await nobody.post("/v1/users", body, Idempotency_Key="k")
    await nobody.post("/v1/users", {**body, "full_name": "Eve"}, Idempotency_Key="k")
    await nobody.post("/v1/users", body)
    await nobody.post("/v1/users", {**body, "password": "short"})
    form = {"grant_type": "password", "username": email, "password": PASSWORD}
    given = (await nobody.client.post("/v1/auth/token", data=form)).json()
    await nobody.client.post("/v1/auth/token", data={**form, "password": "wrong"})
    await nobody.client.post("/v1/auth/token", data={"grant_type": "x"})
    await nobody.client.post(
        "/v1/auth/token", data={"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    )
    ada = Person(stage.client(Authorization=f"Bearer {given['access_token']}"))
    me = await ada.get("/v1/users/me")
    for answered in (nobody, ada, Person(stage.client(Authorization="Bearer rubbish"))):
        await answered.get("/v1/users/me", If_None_Match=me.headers["etag"])
        for path in ("/v1/users/me", f"/v1/users/{me.json['id']}", f"/v1/users/{NEVER}", "/v1/users/x"):
            await answered.get(path)
        for path in (
            "/v1/users/me/export",
            "/v1/auth/sessions",
            "/.well-known/jwks.json",
            "/v1/users/me/",
            "/openapi.json",
        ):
            await answered.get(path)
        await answered.patch("/v1/users/me", {"full_name": "Ada King"})
        await answered.patch("/v1/users/me", {"full_name": "Ada King"}, If_Match='"1-x"')
        await answered.patch("/v1/users/me", {"email": "x"})
        await answered.put(f"/v1/users/{me.json['id']}/roles", {"roles": ["admin"]})
        await answered.put(f"/v1/users/{me.json['id']}/suspension")
        await answered.delete(f"/v1/users/{me.json['id']}/suspension")
        await answered.post("/v1/auth/verification")
        await answered.post("/v1/auth/verification/confirmation", {"token": "x"})
        await answered.post("/v1/auth/reset", {"email": "nobody@example.com"})
        await answered.post("/v1/auth/reset/confirmation", {"token": "x", "password": PASSWORD})
        await answered.post("/v1/auth/password", {"current_password": "x", "new_password": PASSWORD})
        await answered.post("/v1/auth/email", {"current_password": "x", "email": "other@example.com"})
        await answered.delete(f"/v1/auth/sessions/{NEVER}")
        for path in ("/v1/users", "/v1/users/me", "/v1/auth/token", "/v1/auth/password", "/v1/auth/revocation"):
            if answered is not nobody:
                await _rough(answered, path)
    admin = await person(stage, None, "admin")
    await admin.put(f"/v1/users/{me.json['id']}/roles", {"roles": ["landlord"]})
    await admin.put(f"/v1/users/{NEVER}/roles", {"roles": ["landlord"]})
    await admin.put(f"/v1/users/{me.json['id']}/suspension")
    await admin.delete(f"/v1/users/{me.json['id']}/suspension")
    await admin.get(f"/v1/users/{me.json['id']}")
    again = (await nobody.client.post("/v1/auth/token", data=form)).json()
    ada = Person(stage.client(Authorization=f"Bearer {again['access_token']}"))
    await ada.post("/v1/auth/email", {"current_password": PASSWORD, "email": "ada@new.example"})
    await ada.post("/v1/auth/password", {"current_password": PASSWORD, "new_password": PASSWORD + "!"})
    await ada.delete("/v1/auth/sessions")
    await nobody.client.post("/v1/auth/revocation", data={"token": again["refresh_token"]})


async def _stays(stage: Stage) -> None:
    landlord, reviewer = await person(stage, "landlord", "landlord"), await person(stage, None, "reviewer")
    tenant, other = await person(stage, "tenant", "tenant"), await person(stage, "tenant", "tenant")
    nobody = Person(stage.client())
    home = await listed(landlord, reviewer)
    path = f"/v1/properties/{home['id']}"
    await landlord.post("/v1/properties", {**COTTAGE, "bedrooms": -1})
    await landlord.post("/v1/properties", COTTAGE, Idempotency_Key="k")
    await landlord.post("/v1/properties", COTTAGE, Idempotency_Key="k")
    await landlord.post("/v1/properties", {**COTTAGE, "bedrooms": 3}, Idempotency_Key="k")
    held = await tenant.made("/v1/reservations", stay(home["id"]))
    await other.post("/v1/reservations", stay(home["id"]))
    await other.post("/v1/reservations", stay(NEVER))
    confirm = f"/v1/reservations/{held['id']}/confirmation"
    for caller in (nobody, other, tenant, landlord, landlord):
        await caller.post(confirm, Idempotency_Key="c")
        await caller.post(confirm, If_Match='"9-x"')
        await caller.post(f"/v1/reservations/{held['id']}/rejection", {"reason": "x"})
    for caller in (nobody, tenant, landlord, reviewer):
        for each in (
            "/v1/properties", "/v1/properties?limit=1&count=true", "/v1/properties?cursor=x", "/v1/reservations", path,
            path + "/availability", "/v1/verification-requests", f"/v1/properties/{NEVER}", "/v1/properties/x",
            f"/v1/reservations/{held['id']}", f"/v1/verification-requests/{NEVER}", path + "/", "/v1/properties/",
        ):  # fmt: skip
            await caller.get(each)
            await caller.get(each, If_None_Match="*")
        for each in ("/v1/properties", path, "/v1/reservations", path + "/publication", path + "/availability"):
            if caller in (nobody, landlord):
                await _rough(caller, each)
        await caller.patch(path, {"title": "New"}, If_Match='"9-x"')
        await caller.patch(path, {"title": None})
        await caller.delete(path, If_Match='"9-x"')
        await caller.post(f"/v1/reservations/{held['id']}/cancellation")
        await caller.post("/v1/verification-requests", {"subject": "identity"})
        await caller.post(f"/v1/verification-requests/{NEVER}/approval")
    unverified = (await draft(landlord))["id"]
    await landlord.put(f"/v1/properties/{unverified}/publication")
    await landlord.delete(path + "/publication")
    await landlord.patch(path, {"title": "Newer"})
    await landlord.delete(path)
    await landlord.delete(path)


async def _shelves(client: httpx2.AsyncClient) -> None:
    made = await client.post("/v1/shelves", json={"name": "a", "note": "n"}, headers=as_("ada", Idempotency_Key="k"))
    await client.post("/v1/shelves", json={"name": "a", "note": "n"}, headers=as_("ada", Idempotency_Key="k"))
    path = made.headers["location"]
    thing = await client.post(path + "/things", json={"title": "t"}, headers=as_("ada"))
    for name in ("ada", "bob", "staff", "bob:reading", "eve", ""):
        caller = Person(client)
        client.headers.pop("Authorization", None)
        if name:
            client.headers["Authorization"] = f"Bearer {name}"
        for each in ("/v1/shelves", path, path + "/things", path + "/size", path + "/lock", thing.headers["location"]):
            await caller.get(each)
            if name in ("ada", "bob:reading"):
                await _rough(caller, each)
        await caller.get("/v1/shelves?limit=1&count=true&expand=things")
        await caller.post(path + "/lock", {"reason": "x"}, Idempotency_Key="l")
        await caller.post(path + "/lock", {"reason": "x"}, Idempotency_Key="l")
        await caller.post(path + "/failure")
        await caller.post(path + "/slow-lock")
        await caller.get("/v1/own/names")
        await caller.post("/v1/own/shelves", {"name": "x"})
        await caller.post("/v1/own/shelves", {"name": "x", "answer": 500})
        await caller.patch(path, {"name": "b"}, If_Match='"9-x"')
        await caller.patch(path, {"price": 1})
        for header in ({}, {"If_Match": '"9-x"'}, {"If_Match": "*"}):
            await caller.delete(thing.headers["location"], **header)
    await client.delete(path, headers=as_("ada"))


# An operation id is the name of a method in every client that was made from the document.
IDS_OF_SHELVES = """
    create_shelf create_shelf_things create_thing delete_shelf delete_thing get_shelf get_shelf_size get_thing
    list_shelf_things list_shelves list_things own_create_v1_own_shelves_post own_names_v1_own_names_get own_read_v1_own_shelves__shelf_id__get shelf_failure
    shelf_lock shelf_slow_lock update_shelf update_thing
"""


class TestDocument:
    async def test_N05_it_is_valid(self, heard: Heard) -> None:
        validate(heard.document.document)

    async def test_N05_every_answer_is_as_described(self, heard: Heard) -> None:
        faults = {fault for kept in heard.kept for fault in heard.document.faults(*kept)}
        assert not faults, "\n".join(sorted(faults))
        assert len(heard.kept) > 300

    async def test_N05_what_is_not_described_is_caught(self, heard: Heard) -> None:
        method, path, answer = next(kept for kept in heard.kept if kept[2].status_code == 401)
        for change in ({"status_code": 418}, {"headers": {**answer.headers, "X-New": "1"}}, {"content": b"{}"}):
            given: dict[str, Any] = {
                "status_code": 401,
                "headers": dict(answer.headers),
                "content": answer.content,
                **change,
            }
            given["headers"].pop("content-length", None)
            assert list(heard.document.faults(method, path, httpx2.Response(**given))), change

    async def test_N05_it_covers_every_route_and_no_other(self, heard: Heard) -> None:
        routed = set()
        for context in iter_route_contexts(heard.app.routes):
            route: Any = context.original_route
            if getattr(route, "include_in_schema", False):
                methods = set(route.methods or ())
                # HEAD goes without saying beside GET, and is an operation where it stands alone.
                routed |= {(method, context.path) for method in methods if method != "HEAD" or "GET" not in methods}
        assert routed == {(method, path) for method, path, _ in heard.document.operations()}

    async def test_N05_operation_ids_are_unique(self, heard: Heard) -> None:
        ids = [operation["operationId"] for _, _, operation in heard.document.operations()]
        assert len(ids) == len(set(ids))
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", each) for each in ids)

    async def test_N01_every_answer_has_the_security_headers(self, heard: Heard) -> None:
        for method, path, answer in heard.kept:
            place = f"{method} {path} {answer.status_code}"
            assert answer.headers["x-content-type-options"] == "nosniff", place
            assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'", place
            assert answer.headers["referrer-policy"] == "no-referrer", place
            assert not {"server", "x-powered-by"} & set(answer.headers), place

    async def test_E01_every_refusal_is_a_problem_document(self, heard: Heard) -> None:
        seen = set()
        for method, path, answer in heard.kept:
            if answer.status_code < 400:
                continue
            seen.add(answer.status_code)
            assert answer.headers["content-type"] == "application/problem+json", (method, path)
            if method == "HEAD":
                continue
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert problem["type"] and problem["title"] and problem["instance"]
            assert problem["request_id"] == answer.headers["x-request-id"]
            if answer.status_code == 422 and "errors" in problem:
                assert all("pointer" in each or "parameter" in each for each in problem["errors"]), problem
        assert seen >= {400, 401, 403, 404, 405, 409, 412, 413, 414, 415, 422, 431}

    async def test_E02_no_answer_tells_how_the_server_is_made(self, heard: Heard) -> None:
        telling = re.compile(
            rb"Traceback|site-packages|\.py\b|SELECT |INSERT |sqlalchemy|pydantic|asyncpg|sqlite", re.IGNORECASE
        )
        for method, path, answer in heard.kept:
            if path != "/openapi.json":
                assert telling.search(answer.content) is None, (method, path, answer.text[:300])

    async def test_N04_options_tells_what_is_served(self, heard: Heard) -> None:
        transport = httpx2.ASGITransport(app=heard.app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for path, item in heard.document.document["paths"].items():
                answer = await client.request("OPTIONS", path.replace("{id}", NEVER))
                wanted = {method.upper() for method in item}
                served = {*wanted, "OPTIONS", *(["HEAD"] if "GET" in wanted else [])}
                told = set(answer.headers["allow"].split(", "))
                assert (answer.status_code, answer.content) == (204, b"")
                assert told >= served, path
                for method in sorted({"GET", "POST", "PUT", "PATCH", "DELETE"} - told):
                    refused = await client.request(method, path.replace("{id}", NEVER))
                    assert refused.status_code == 405, (method, path)
                    assert set(refused.headers["allow"].split(", ")) == told
                assert ("accept-patch" in answer.headers) == ("PATCH" in told), path


def test_N05_operation_ids_are_stable(tmp_path: Path) -> None:
    first, second = (make(f"sqlite+aiosqlite:///{tmp_path}/{n}.db", tmp_path) for n in (1, 2))
    ids = [operation["operationId"] for _, _, operation in Document(first.openapi()).operations()]
    assert sorted(ids) == IDS_OF_SHELVES.split()
    assert first.openapi() == second.openapi()


async def test_X04_the_type_of_a_merge_patch_is_declared(tmp_path: Path) -> None:
    async with served(make(f"sqlite+aiosqlite:///{tmp_path}/1.db", tmp_path)) as client:
        path = (await client.post("/v1/shelves", json={"name": "x"}, headers=as_("ada"))).headers["location"]
        refused = await client.patch(path, content=b"x", headers=as_("ada", Content_Type="text/plain"))
        for answer in (refused, await client.options(path)):
            assert answer.headers["accept-patch"] == "application/merge-patch+json, application/json"
        assert "accept-patch" not in (await client.options("/v1/shelves")).headers
