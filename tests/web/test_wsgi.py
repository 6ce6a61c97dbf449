"""A WSGI application behind the guards: the edge, the caller, the rule and problem documents hold for it."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Request, Response

from freehold import Freehold, anyone, owner, role, signed_in
from freehold.errors import ConfigurationError
from freehold.settings import Settings
from freehold.testing import House, Stage, opened
from freehold.web import Wsgi

pytestmark = pytest.mark.anyio


@Request.application
def old(request: Request) -> Response:
    """What has served for years: its own pages, its own errors."""
    try:
        return answer(request)
    except HTTPException as error:
        return error.get_response(request.environ)  # an HTML page


def answer(request: Request) -> Response:
    if request.path == "/who":
        principal = request.environ["freehold.principal"]
        return Response(f"{principal.id} {request.environ.get('REMOTE_USER')} {sorted(principal.roles)}")
    if request.path == "/echo":
        return Response(
            request.get_data(), mimetype="application/octet-stream", headers={"X-Script": request.script_root}
        )
    if request.path == "/only-get":
        raise MethodNotAllowed(valid_methods=["GET"])
    if request.path == "/teapot":
        return Response('{"why": "tea"}', status=418, mimetype="application/json")
    if request.path == "/broken":
        raise RuntimeError("password=hunter2")
    if request.path == "/told":
        return Response("Traceback: password=hunter2", status=500)
    raise NotFound


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder: Path = tmp_path_factory.mktemp("wsgi")
    app = Freehold(
        settings=Settings(
            env="test", var_dir=folder, limits="off", secret="s" * 40, body_limit=2_000, log_level="error"
        )
    )
    app.mount("/open", Wsgi(old, access=anyone))
    app.mount("/old", Wsgi(old, access=signed_in))
    app.mount("/staff", Wsgi(old, access=role("staff")))
    app.mount("/pages", Wsgi(old, access=anyone, own_errors=True))
    async with opened(app) as found:
        yield found


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    async with house.stage() as found:
        yield found


async def test_it_learns_who_calls_and_cannot_be_told_by_a_header(stage: Stage) -> None:
    me = stage.as_user(roles=["tenant"])
    told = (await me.get("/old/who", headers={"Remote-User": "root", "X-Remote-User": "root"})).text
    principal_id, remote_user, roles = told.split(" ", 2)
    assert (principal_id, roles) == (remote_user, "['tenant']")
    assert (await stage.client().get("/open/who", headers={"Remote-User": "root"})).text == "None None []"


async def test_the_rule_holds_for_all_of_it(stage: Stage) -> None:
    nobody, somebody = stage.client(), stage.as_user(roles=["tenant"])
    assert [(await caller.get("/staff/who")).status_code for caller in (nobody, somebody)] == [401, 403]
    assert (await stage.as_user(roles=["staff"]).get("/staff/who")).status_code == 200
    refused = await nobody.get("/old/who")
    assert (refused.status_code, refused.json()["code"]) == (401, "auth.unauthenticated")
    assert (await nobody.get("/open/who", headers={"Authorization": "Bearer rubbish"})).status_code == 401


async def test_the_edge_holds_for_it(stage: Stage) -> None:
    sent = await stage.client().post("/open/echo", content=b"\x00\xff" * 50)
    assert (sent.content, sent.headers["x-script"]) == (b"\x00\xff" * 50, "/open")
    assert sent.headers["x-content-type-options"] == "nosniff"
    assert sent.headers["x-request-id"]
    assert (await stage.client().post("/open/echo", content=b"x" * 2_001)).status_code == 413
    assert (await stage.client().get("/open/who", headers={"Host": "evil.example"})).status_code == 421


@pytest.mark.parametrize(("path", "status"), [("nowhere", 404), ("only-get", 405), ("broken", 500), ("told", 500)])
async def test_its_errors_are_problem_documents_that_say_nothing_of_the_inside(
    stage: Stage, path: str, status: int
) -> None:
    refused = await stage.client().get(f"/open/{path}")
    assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")
    assert refused.json()["request_id"] == refused.headers["x-request-id"]
    assert "hunter2" not in refused.text
    assert (refused.headers.get("allow") == "GET") is (status == 405)


async def test_an_error_that_is_json_passes(stage: Stage) -> None:
    assert (await stage.client().get("/open/teapot")).json() == {"why": "tea"}


async def test_pages_of_its_own_may_stay(stage: Stage) -> None:
    page = await stage.client().get("/pages/nowhere")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert (await stage.client().get("/pages/broken")).json()["code"] == "internal"


def test_a_rule_about_rows_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="has no row"):
        Wsgi(old, access=owner("owner_id"))


def test_without_a2wsgi_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def missing(name: str, *arguments: Any) -> Any:
        if name == "a2wsgi":
            raise ModuleNotFoundError(name)
        return found(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigurationError, match=r"freehold\[wsgi\]"):
        Wsgi(old, access=anyone)
