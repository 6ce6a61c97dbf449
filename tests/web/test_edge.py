"""The edge in process: methods, ids, headers, CORS, credentials in wrong places."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from freehold.observe import logs
from freehold.observe.sink import LogSink
from freehold.web.edge import Edge, EdgeOptions
from freehold.web.problems import install_handlers

pytestmark = pytest.mark.anyio
LISTED = "https://app.example.org"


def _app() -> FastAPI:  # noqa: C901  # a list of routes
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    books = APIRouter(prefix="/v1/books")

    @books.get("")
    async def every() -> list[str]:
        return ["a"]

    @books.post("")
    async def add() -> Response:
        return Response(status_code=201, headers={"Location": "/v1/books/1"})

    @books.get("/{book_id}")
    async def one(book_id: str, request: Request) -> dict[str, Any]:
        state, scope = request.scope["state"], request.scope
        return {
            "id": book_id,
            "method": request.method,
            "path": scope["path"],
            "client": state["client"],
            "request_id": state["request_id"],
            "traceparent": state["traceparent"],
            "trace_id": state["trace_id"],
        }

    @books.delete("/{book_id}")
    async def drop(book_id: str) -> Response:
        return Response(status_code=204)

    @books.delete("", status_code=204)
    async def drop_every() -> None: ...

    app.include_router(books)

    @app.get("/page")
    async def page() -> Response:
        headers = {
            "Content-Security-Policy": "default-src 'self'",
            "Cache-Control": "public, max-age=60",
            "Vary": "Accept",
        }
        return HTMLResponse("<p>x", headers=headers)

    @app.get("/cookie")
    async def cookie() -> Response:
        return PlainTextResponse("x", headers={"Set-Cookie": "a=b", "Server": "me", "X-Powered-By": "me"})

    @app.get("/bare")
    async def bare() -> Response:
        return Response(b"x", headers={"Content-Type": "text/csv"})

    @app.head("/only-head")
    async def only_head() -> Response:
        return Response(headers={"X-Kind": "head"})

    async def sub(request: Request) -> Response:
        return PlainTextResponse(f"sub {request.method}")

    async def options(request: Request) -> Response:
        return Response(status_code=204, headers={"Allow": "OPTIONS", "X-Own": "yes"})

    app.router.routes.append(Route("/own-options", options, methods=["OPTIONS"]))
    mounted = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    mounted.router.routes.append(Route("/x", sub, methods=["GET", "OPTIONS"]))
    app.mount("/sub", mounted)
    install_handlers(app)
    return app


def _client(**options: Any) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=Edge(_app(), EdgeOptions(**options)))
    return httpx2.AsyncClient(transport=transport, base_url="http://testserver")


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with _client(cors_origins=(LISTED,)) as client:
        yield client


# Methods


async def test_N04_what_has_no_content_names_no_type_of_it(client: httpx2.AsyncClient) -> None:
    for path in ("/v1/books", "/v1/books/1"):
        answer = await client.delete(path)
        assert (answer.status_code, answer.content, answer.headers.get("content-type")) == (204, b"", None), path


async def test_V04_head_is_get_without_a_body(client: httpx2.AsyncClient) -> None:
    got, head = await client.get("/v1/books"), await client.head("/v1/books")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "cache-control", "vary"):
        assert head.headers[name] == got.headers[name]
    missing = await client.head("/nowhere")
    assert (missing.status_code, missing.content) == (404, b"")
    assert (await client.head("/only-head")).headers["x-kind"] == "head"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "PURGE", "CONNECT", "get", "FOO"])
async def test_V04_an_unknown_method_is_405_with_a_true_allow(client: httpx2.AsyncClient, method: str) -> None:
    request = httpx2.Request(method, "http://testserver/v1/books/1")
    request.method = method
    response = await client.send(request)
    assert response.status_code == 405
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert response.json()["code"] == "request.method_not_allowed"
    for allowed in response.headers["allow"].split(", "):
        assert (await client.request(allowed, "/v1/books/1")).status_code < 400


async def test_N04_options_tells_the_truth(client: httpx2.AsyncClient) -> None:
    for path, allow in [
        ("/v1/books", "DELETE, GET, HEAD, OPTIONS, POST"),
        ("/v1/books/1/", "DELETE, GET, HEAD, OPTIONS"),
    ]:
        response = await client.options(path)
        assert (response.status_code, response.content, response.headers["allow"]) == (204, b"", allow)
    assert (await client.options("/nowhere")).status_code == 404
    assert (await client.options("/own-options")).headers["x-own"] == "yes"
    assert (await client.options("/sub/x")).text == "sub OPTIONS"


@pytest.mark.parametrize(
    "header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-Method", "_method"]
)
async def test_H04_method_override_headers_change_nothing(client: httpx2.AsyncClient, header: str) -> None:
    response = await client.get("/v1/books/1", headers={header: "DELETE"})
    assert response.json()["method"] == "GET"
    assert (await client.post("/v1/books/1", headers={header: "DELETE"})).status_code == 405


async def test_H04_unkeyed_headers_change_nothing(client: httpx2.AsyncClient) -> None:
    spoof = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/admin",
        "X-Forwarded-For": "10.0.0.1",
        "Forwarded": "for=10.0.0.1;proto=https;host=evil.example",
        "X-Original-URL": "/nowhere",
        "X-Rewrite-URL": "/nowhere",
        "X-Request-ID": "fixed-id",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    }
    fixed = {name: spoof[name] for name in ("X-Request-ID", "traceparent")}
    plain = await client.get("/v1/books/1", headers=fixed)
    spoofed = await client.get("/v1/books/1", headers=spoof)
    assert spoofed.headers == plain.headers
    different = {"traceparent"}
    strip = lambda answer: {k: v for k, v in answer.json().items() if k not in different}  # noqa: E731
    assert strip(spoofed) == strip(plain)


async def test_H04_a_path_that_looks_like_a_file_is_not_made_cacheable(client: httpx2.AsyncClient) -> None:
    response = await client.get("/v1/books/me.css", headers={"Authorization": "Bearer x"})
    assert response.headers["cache-control"] == "private, no-cache"
    assert (await client.get("/v1/books/me/x.css")).status_code == 404


# Ids


@pytest.mark.parametrize("given", ["a", "req-1", "0192f0c1-aaaa-7bbb-8ccc-0123456789ab", "A.b_c-9" * 9])
async def test_E04_a_short_plain_request_id_is_taken(client: httpx2.AsyncClient, given: str) -> None:
    response = await client.get("/v1/books/1", headers={"X-Request-ID": given})
    assert response.headers["x-request-id"] == response.json()["request_id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "a\tb", "é", "-a", 'a"b', "a,b", "a;b"])
async def test_E04_any_other_request_id_is_made_anew(client: httpx2.AsyncClient, given: str) -> None:
    response = await client.get("/v1/books/1", headers={"X-Request-ID": given.encode()})
    made = response.headers["x-request-id"]
    assert made == response.json()["request_id"] != given
    assert len(made) == 32
    twice = await client.get("/v1/books/1", headers=[("X-Request-ID", "a"), ("X-Request-ID", "b")])
    assert len(twice.headers["x-request-id"]) == 32


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize("given", [f"00-{TRACE}-00f067aa0ba902b7-01", f"01-{TRACE}-00f067aa0ba902b7-03-more"])
async def test_E04_a_valid_traceparent_is_continued(client: httpx2.AsyncClient, given: str) -> None:
    answer = (await client.get("/v1/books/1", headers={"traceparent": given})).json()
    version, trace, span, flags = answer["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert span != "00f067aa0ba902b7"
    assert answer["trace_id"] == TRACE


@pytest.mark.parametrize(
    "given",
    [
        "", "x", f"00-{TRACE}-00f067aa0ba902b7", f"ff-{TRACE}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE.upper()}-00f067aa0ba902b7-01", f"00-{TRACE}-00f067aa0ba902b7-01-extra",
        f"00-{TRACE}-00f067aa0ba902b7-0g",
    ],
)  # fmt: skip
async def test_E04_an_invalid_traceparent_is_made_anew(client: httpx2.AsyncClient, given: str) -> None:
    answer = (await client.get("/v1/books/1", headers={"traceparent": given})).json()
    assert answer["trace_id"] != TRACE
    assert answer["traceparent"] == f"00-{answer['trace_id']}-{answer['traceparent'].split('-')[2]}-00"
    assert len(answer["trace_id"]) == 32


# Headers of every answer


async def test_N01_every_answer_carries_the_security_headers(client: httpx2.AsyncClient) -> None:
    answers = [
        await client.get("/v1/books"),
        await client.get("/nowhere"),
        await client.put("/v1/books"),
        await client.options("/v1/books"),
        await client.head("/v1/books"),
        await client.get("/v1/books", headers={"Host": "evil.example"}),
        await client.get("//v1/books"),
    ]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "origin" in answer.headers["vary"].lower()
        assert len(answer.headers.get_list("x-request-id")) == 1
        assert "strict-transport-security" not in answer.headers


async def test_N01_hsts_under_https_alone() -> None:
    transport = httpx2.ASGITransport(app=Edge(_app()))
    async with httpx2.AsyncClient(transport=transport, base_url="https://testserver") as client:
        assert (await client.get("/v1/books")).headers["strict-transport-security"].startswith("max-age=31536000")


async def test_N01_an_answer_keeps_what_it_set_itself(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/page")
    assert answer.headers["content-security-policy"] == "default-src 'self'"
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["vary"] == "Accept, Origin"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_N01_the_server_does_not_name_itself_and_text_has_a_charset(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/cookie")
    assert "server" not in answer.headers
    assert "x-powered-by" not in answer.headers
    assert (await client.get("/bare")).headers["content-type"] == "text/csv; charset=utf-8"


async def test_H01_default_cache_control(client: httpx2.AsyncClient) -> None:
    anonymous = await client.get("/v1/books")
    assert anonymous.headers["cache-control"] == "no-cache"
    assert anonymous.headers["vary"] == "Origin, Authorization, Cookie, X-API-Key"
    for header in ({"Authorization": "Bearer x"}, {"Cookie": "a=b"}):
        assert (await client.get("/v1/books", headers=header)).headers["cache-control"] == "private, no-cache"
    for stored_nowhere in ("/cookie", "/nowhere"):
        assert (await client.get(stored_nowhere)).headers["cache-control"] == "no-store"


# CORS


async def test_C05_only_listed_origins_get_headers(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/books", headers={"Origin": LISTED})
    assert answer.headers["access-control-allow-origin"] == LISTED
    assert "access-control-allow-credentials" not in answer.headers
    exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].lower().split(",")}
    assert exposed >= {"etag", "location", "link", "retry-after", "ratelimit", "x-request-id", "idempotent-replayed"}
    refused = await client.get("/nowhere", headers={"Origin": LISTED})
    assert refused.headers["access-control-allow-origin"] == LISTED


@pytest.mark.parametrize(
    "origin",
    [
        "null", "https://evil.example", "https://app.example.org.evil.example", "https://evil.example/app.example.org",
        "http://app.example.org", "https://app.example.org:8443", "https://sub.app.example.org", "https://APP.example.org",
        "https://app.example.org/", "", "*", "https://app.example.or", "https://app.example.org, https://evil.example",
    ],
)  # fmt: skip
async def test_C05_no_other_origin_does(client: httpx2.AsyncClient, origin: str) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for answer in (
        await client.get("/v1/books", headers={"Origin": origin}),
        await client.options("/v1/books", headers={"Origin": origin, **preflight}),
        await client.get("/v1/books", headers=[("Origin", LISTED), ("Origin", origin)]),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert "origin" in answer.headers["vary"].lower()


async def test_C05_a_preflight_is_answered_before_anything_else_and_carries_no_data(client: httpx2.AsyncClient) -> None:
    headers = {"Origin": LISTED, "Access-Control-Request-Method": "DELETE"}
    answer = await client.options("/v1/books/1", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == LISTED
    assert answer.headers["access-control-allow-methods"] == "DELETE, GET, HEAD, OPTIONS"
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("authorization", "content-type", "if-match", "idempotency-key"))
    assert answer.headers["access-control-max-age"] == "600"
    assert "set-cookie" not in answer.headers


async def test_C05_credentials_only_where_switched_on_and_never_with_a_star() -> None:
    async with _client(cors_origins=(LISTED,), cors_credentials=True) as client:
        answer = await client.get("/v1/books", headers={"Origin": LISTED})
        assert answer.headers["access-control-allow-credentials"] == "true"
        other = await client.get("/v1/books", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-credentials" not in other.headers
    async with _client(cors_origins=("*",)) as client:
        answer = await client.get("/v1/books", headers={"Origin": "https://any.example"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        null = await client.get("/v1/books", headers={"Origin": "null"})
        assert "access-control-allow-origin" not in null.headers
    with pytest.raises(ValueError, match="cors_credentials"):
        EdgeOptions(cors_origins=("*",), cors_credentials=True)


# Credentials in wrong places


async def test_T13_two_authorization_headers_are_400(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/books", headers=[("Authorization", "Bearer a"), ("Authorization", "Bearer a")])
    assert answer.status_code == 400
    assert answer.json()["code"] == "request.malformed"


@pytest.mark.parametrize(
    "query",
    [
        "access_token=x",
        "a=1&access_token=",
        "ACCESS_TOKEN=x",
        "%61ccess%5Ftoken=x",
        "access_to%E2%84%AAen=x",
        "q=access_token&access_token",
    ],
)
async def test_T13_a_token_in_the_query_is_400_and_not_repeated(client: httpx2.AsyncClient, query: str) -> None:
    answer = await client.get(f"/v1/books?{query}")
    assert answer.status_code == 400
    assert query not in answer.text


async def test_T13_other_queries_pass(client: httpx2.AsyncClient) -> None:
    for query in (
        "q=access_token",
        "access=1",
        "my_access_tokens=1",
        "q=100%25",
        "+access_token=1",
        "q=1%26access_token=1",
    ):
        assert (await client.get(f"/v1/books?{query}")).status_code == 200


# What the edge says of itself


async def test_requests_are_counted_under_their_template() -> None:
    edge = Edge(_app())
    transport = httpx2.ASGITransport(app=edge)
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        for path in ("/v1/books/1", "/v1/books/2", "/v1/books", "/nowhere", "/sub/x", "/v1/books/3?q=secret"):
            await client.get(path)
        await client.options("/own-options")
    text = edge.metrics.exposition().decode()
    counted = {
        line.split('route="')[1].split('"')[0]: float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        if line.startswith("freehold_http_requests_total")
    }
    assert counted == {"/v1/books/{book_id}": 3, "/v1/books": 1, "unmatched": 1, "mounted": 1, "/own-options": 1}
    assert "secret" not in text
    assert "freehold_http_requests_in_flight 0.0" in text


async def test_E03_the_access_line_names_the_template_and_the_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    logs.configure(level="info")  # whatever a service of an earlier test asked for
    monkeypatch.setattr(logs._State, "is_configured", True)
    monkeypatch.setattr(logs._State, "render", staticmethod(logs.as_json))
    monkeypatch.setattr(logs._State, "sink", LogSink(stream))
    async with _client() as client:
        await client.get("/v1/books/secret-name?q=secret-query", headers={"X-Request-ID": "rid"})
        await client.get("/nowhere/secret-name")
    logs.flush()
    written = stream.getvalue().splitlines()
    first, second = (json.loads(line) for line in written if "freehold.access" in line)
    assert (first["method"], first["route"], first["status"]) == ("GET", "/v1/books/{book_id}", 200)
    assert first["request_id"] == "rid"
    assert len(first["trace_id"]) == 32
    assert (second["route"], second["status"], second["problem"]) == ("unmatched", 404, "request.not_found")
    assert not [line for line in written if "secret" in line]
