"""E01, E02: every refusal is a problem document, and none says too much."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Body, FastAPI, File, Form, HTTPException, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.responses import PlainTextResponse, Response

from freehold.errors import Conflict, FieldError, Internal, NotFound, OutcomeUnknown, Problem, TooManyRequests
from freehold.web import problem_table
from freehold.web.edge import Edge
from freehold.web.problem_translation import to_problem
from freehold.web.problems import install_handlers, problem_document, problem_parts, problem_response

pytestmark = pytest.mark.anyio
SECRET = "s3cretValue"


class Line(BaseModel):
    sku: str
    quantity: int = Field(ge=1)


class Order(BaseModel, extra="forbid"):
    name: Annotated[str, Field(min_length=3)]
    lines: list[Line] = []
    either: int | Line = 1


def _app() -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)

    @app.post("/orders/{shelf}")
    async def order(shelf: int, order: Order, limit: int = 1) -> None: ...

    @app.post("/forms")
    async def form(name: Annotated[str, Form()], file: Annotated[UploadFile | None, File()] = None) -> None: ...

    @app.post("/small", max_body_size=10)
    async def small(data: Annotated[dict[str, Any], Body()]) -> None: ...

    @app.get("/raise/{what}")
    async def fail(what: str) -> None:
        raise RAISED[what]

    @app.get("/plain/{status}")
    async def plain(status: int) -> Response:
        return PlainTextResponse(f"Sorry, {SECRET}", status)

    @app.get("/shape")
    async def shape() -> Order:
        return {"name": SECRET}  # type: ignore[return-value]

    @app.get("/teapot/{a}")
    async def pour(a: str) -> None: ...

    @app.delete("/teapot/{b}")
    async def smash(b: str) -> None: ...

    install_handlers(app)
    return app


RAISED: dict[str, Exception] = {
    "bug": RuntimeError(f"{SECRET} at /srv/app/main.py"),
    "http-500": HTTPException(500, f"SELECT {SECRET}"),
    "http-418": HTTPException(418),
    "http-401": HTTPException(401, "Log in."),
    "http-409": HTTPException(409, {"why": "taken"}),
    "http-429": HTTPException(429, headers={"Retry-After": "7"}),
    "http-503": HTTPException(503),
    "conflict": Conflict("Taken.", code="shop.taken", errors=[FieldError("taken", "Is taken", pointer="/slug")]),
    "quota": TooManyRequests(retry_after=9, extra={"type": "https://example.org/quota", "violated-policies": ["a"]}),
    "unknown-outcome": OutcomeUnknown(f"COMMIT {SECRET}"),
    "group": ExceptionGroup("several", [NotFound(), Conflict()]),
    "disk": OSError(errno.ENOSPC, "No space left", f"/var/{SECRET}"),
    "refused": ConnectionRefusedError(111, f"{SECRET}:5432"),
    "pool": PoolTimeout("QueuePool limit of size 5"),
    "lost": DBAPIError(f"SELECT {SECRET}", {}, Exception("gone"), connection_invalidated=True),
    "sql": ProgrammingError(f"SELEC {SECRET}", {}, Exception("syntax error")),
}


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=Edge(_app()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


def _is_problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["code"] == code
    assert document["type"].endswith(f"#{code}")
    assert document["title"]
    assert document["request_id"] == response.headers["x-request-id"]
    assert document["instance"].endswith(document["request_id"])
    assert response.headers["cache-control"] == "no-store"
    return document


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("bug", 500, "internal"),
        ("http-500", 500, "internal"),
        ("http-418", 418, "request.refused"),
        ("http-401", 401, "auth.unauthenticated"),
        ("http-409", 409, "request.conflict"),
        ("http-429", 429, "request.too_many"),
        ("http-503", 503, "service.unavailable"),
        ("conflict", 409, "shop.taken"),
        ("unknown-outcome", 503, "service.outcome_unknown"),
        ("group", 409, "request.conflict"),
        ("disk", 507, "service.storage_full"),
        ("refused", 503, "service.unavailable"),
        ("pool", 503, "service.unavailable"),
        ("lost", 503, "service.unavailable"),
        ("sql", 500, "internal"),
    ],
)
async def test_E01_whatever_is_raised_is_a_problem_document(
    client: httpx2.AsyncClient, what: str, status: int, code: str
) -> None:
    response = await client.get(f"/raise/{what}")
    document = _is_problem(response, status, code)
    assert SECRET not in response.text
    if status == 503:
        assert int(response.headers["retry-after"]) >= 1
    if status >= 500:
        assert set(document) == {"type", "title", "status", "instance", "code", "request_id"}


async def test_E01_headers_details_and_extra_members_are_kept_below_500(client: httpx2.AsyncClient) -> None:
    unauthenticated = await client.get("/raise/http-401")
    assert unauthenticated.headers["www-authenticate"] == "Bearer"
    assert unauthenticated.json()["detail"] == "Log in."
    assert (await client.get("/raise/http-429")).headers["retry-after"] == "7"
    assert (await client.get("/raise/http-409")).json()["details"] == {"why": "taken"}
    conflict = (await client.get("/raise/conflict")).json()
    assert conflict["detail"] == "Taken."
    assert conflict["errors"] == [{"pointer": "/slug", "code": "taken", "message": "Is taken"}]
    quota = await client.get("/raise/quota")
    assert quota.json()["type"] == "https://example.org/quota"
    assert quota.json()["violated-policies"] == ["a"]
    assert quota.headers["retry-after"] == "9"


async def test_E01_unknown_paths_and_methods_are_problems_with_a_true_allow(client: httpx2.AsyncClient) -> None:
    _is_problem(await client.get("/nowhere"), 404, "request.not_found")
    response = await client.put("/teapot/1")
    _is_problem(response, 405, "request.method_not_allowed")
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"


async def test_E01_fastapis_own_413_is_a_problem_declared_or_streamed(client: httpx2.AsyncClient) -> None:
    json_type = {"Content-Type": "application/json"}
    _is_problem(
        await client.post("/small", content=b'{"a": "0123456789"}', headers=json_type), 413, "request.too_large"
    )

    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"a": "012345678'
        yield b'9"}'

    _is_problem(await client.post("/small", content=chunks(), headers=json_type), 413, "request.too_large")


@pytest.mark.parametrize(("status", "code"), [(400, "request.malformed"), (500, "internal"), (418, "request.refused")])
async def test_E01_an_error_in_plain_text_becomes_a_problem(client: httpx2.AsyncClient, status: int, code: str) -> None:
    response = await client.get(f"/plain/{status}")
    _is_problem(response, status, code)
    assert SECRET not in response.text


async def test_E01_a_good_answer_in_plain_text_is_left_alone(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/plain/200")).text == f"Sorry, {SECRET}"


async def test_E01_validation_errors_point_to_the_field(client: httpx2.AsyncClient) -> None:
    body = {"name": "x", "lines": [{"sku": "a", "quantity": 1}, {"quantity": 0}], "a/b~c": 1}
    response = await client.post("/orders/7?limit=x", json=body)
    document = _is_problem(response, 422, "request.invalid")
    places = {(error.get("pointer") or error["parameter"], error["code"]) for error in document["errors"]}
    assert places == {
        ("limit", "int_parsing"),
        ("/name", "string_too_short"),
        ("/lines/1/sku", "missing"),
        ("/lines/1/quantity", "greater_than_equal"),
        ("/a~1b~0c", "extra_forbidden"),
    }


async def test_E01_pointers_name_only_what_the_body_holds(client: httpx2.AsyncClient) -> None:
    response = await client.post("/orders/7", json={"name": "xxx", "either": {"sku": 1, "quantity": 1}})
    assert {error["pointer"] for error in response.json()["errors"]} == {"/either", "/either/sku"}


async def test_E02_validation_errors_do_not_repeat_the_input(client: httpx2.AsyncClient) -> None:
    response = await client.post("/orders/7", json={"name": [SECRET], "lines": SECRET, "either": SECRET})
    assert response.status_code == 422
    assert SECRET not in response.text


async def test_V02_what_is_not_json_is_400_and_not_repeated(client: httpx2.AsyncClient) -> None:
    for broken in (b"{", f'{{"name": {SECRET}}}'.encode(), b"\xff\xfe", b'{"name": "abc"} x', b"[" * 100_000):
        response = await client.post("/orders/7", content=broken, headers={"Content-Type": "application/json"})
        _is_problem(response, 400, "request.malformed")
        assert SECRET not in response.text


async def test_V02_a_lone_surrogate_never_breaks_the_answer(client: httpx2.AsyncClient) -> None:
    body = b'{"name": "abc", "\\ud800": 1}'
    response = await client.post("/orders/7", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert response.json()["status"] == 422


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", None, "garbage"]
)
async def test_V04_a_wrong_or_missing_content_type_is_415(client: httpx2.AsyncClient, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    response = await client.post("/orders/7", content=b'{"name": "abc"}', headers=headers)
    _is_problem(response, 415, "request.unsupported_media_type")
    assert response.headers["accept"] == "application/json"


async def test_V04_a_form_route_wants_a_form(client: httpx2.AsyncClient) -> None:
    response = await client.post("/forms", json={"name": "x"})
    _is_problem(response, 415, "request.unsupported_media_type")
    assert "multipart/form-data" in response.headers["accept"]
    _is_problem(await client.post("/forms", data={"other": "x"}), 422, "request.invalid")


async def test_V03_a_form_with_too_many_fields_is_refused(client: httpx2.AsyncClient) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    response = await client.post("/forms", content="&".join(f"f{n}=1" for n in range(1_100)), headers=kind)
    assert response.status_code in (400, 413, 422)
    assert response.json()["status"] == response.status_code


async def test_E02_an_answer_that_does_not_fit_its_schema_is_a_plain_500(client: httpx2.AsyncClient) -> None:
    response = await client.get("/shape")
    if response.status_code != 200:
        _is_problem(response, 500, "internal")
        assert SECRET not in response.text


def test_E02_a_5xx_shows_nothing_but_its_title() -> None:
    problem = Internal(SECRET, errors=[FieldError("x", SECRET)], extra={"hint": SECRET})
    status, headers, body = problem_parts(problem, request_id="r1")
    assert status == 500
    assert SECRET.encode() not in body
    assert dict(headers)[b"content-type"] == b"application/problem+json"
    response = problem_response(problem, request_id="r1", instance="urn:x")
    assert response.status_code == 500
    assert problem_document(problem, request_id="r1", instance="urn:x")["instance"] == "urn:x"


def _postgres_error(state: str) -> OperationalError:
    driver = Exception("driver text")
    driver.sqlstate = state  # type: ignore[attr-defined]
    return OperationalError("SELECT 1", {}, driver)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("08006", 503), ("57P01", 503), ("57P03", 503), ("53300", 503), ("53100", 507), ("40001", 503), ("40P01", 503),
        ("55P03", 503), ("25006", 503), ("57014", 503), ("23505", 409), ("23503", 409), ("22P02", 422), ("22003", 422),
        ("42601", 500), ("42P01", 500),
    ],
)  # fmt: skip
def test_X09_postgresql_errors_by_their_code(state: str, status: int) -> None:
    problem = to_problem(_postgres_error(state))
    assert problem.status == status
    assert (status == 503) == ("Retry-After" in problem.headers)


async def test_X09_a_busy_sqlite_file_is_503(tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE t (x UNIQUE)")
    holder.execute("BEGIN IMMEDIATE")
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"timeout": 0.01})
    async with engine.connect() as connection:
        with pytest.raises(OperationalError) as busy:
            await connection.execute(text("INSERT INTO t VALUES (1)"))
    assert to_problem(busy.value).status == 503
    holder.execute("INSERT INTO t VALUES (1)")
    holder.execute("COMMIT")
    with pytest.raises(sqlite3.IntegrityError) as twice:
        holder.execute("INSERT INTO t VALUES (1)")
    assert to_problem(twice.value).status == 409
    holder.close()
    await engine.dispose()


async def test_F05_a_full_sqlite_disk_is_507(tmp_path: Path) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/full.db")
    async with engine.connect() as connection:
        await connection.execute(text("CREATE TABLE t (x)"))
        await connection.execute(text("PRAGMA max_page_count = 3"))
        with pytest.raises(OperationalError) as full:
            await connection.execute(text("INSERT INTO t VALUES (zeroblob(100000))"))
    await engine.dispose()
    assert to_problem(full.value).status == 507


async def test_F02_a_postgresql_that_is_not_there_is_503() -> None:
    engine = create_async_engine("postgresql+asyncpg://x@127.0.0.1:1/x")
    with pytest.raises(OSError) as away:
        await engine.connect()
    await engine.dispose()
    problem = to_problem(away.value)
    assert (problem.status, problem.headers["Retry-After"]) == (503, "2")


async def test_F02_a_connection_killed_by_postgresql_is_503(postgres_url: str) -> None:
    engine = create_async_engine(postgres_url)
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError) as killed:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    await engine.dispose()
    assert to_problem(killed.value).status == 503


def test_the_reference_page_lists_every_code() -> None:
    problem_table.load_all()
    page = (Path(__file__).parents[2] / "docs" / "reference" / "problems.md").read_text()
    missing = [
        entry.code for entry in problem_table.entries(module_prefix="freehold.") if f"`{entry.code}`" not in page
    ]
    assert missing == [], "run: python -m freehold.web.problem_table > docs/reference/problems.md"


def test_a_code_means_one_status() -> None:
    problem_table.load_all()
    statuses: dict[str, set[int]] = {}
    for kind in problem_table.problem_classes():
        if kind.__module__.startswith("freehold."):
            statuses.setdefault(kind.code, set()).add(kind.status)
            assert kind.__doc__, kind
    assert [code for code, found in statuses.items() if len(found) > 1] == []


def test_a_services_own_code_is_listed_without_being_asked() -> None:
    class LoanLimitReached(Conflict):
        """The patron already holds as many copies as the rule allows."""

        code = "library.loan_limit"

    assert issubclass(LoanLimitReached, Problem)
    found = {entry.code: entry for entry in problem_table.entries()}
    assert found["library.loan_limit"].meaning == "The patron already holds as many copies as the rule allows."
