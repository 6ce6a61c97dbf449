"""The documents are served from this package, name no outside address, and hold no inline script."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from importlib.resources import files

import httpx2
import pytest
from fastapi import FastAPI

from freehold.web.docs import docs_routes
from freehold.web.edge import Edge
from freehold.web.problem_table import entries
from freehold.web.problems import install_handlers

pytestmark = pytest.mark.anyio
OUTSIDE = re.compile(r"""(?:src|href|action|url|import)\s*[=(:]\s*["']?\s*(?:https?:)?//(?!www\.w3\.org)""")


def _app(*, show: bool) -> FastAPI:
    app = FastAPI(title="<Sample> & co", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)

    @app.get("/v1/books")
    async def books() -> list[str]:
        return []

    app.router.routes += docs_routes(app.openapi, title=app.title, show=show)
    install_handlers(app)
    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=Edge(_app(show=True)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/problems", "/docs/"])
async def test_a_page_loads_only_files_of_this_service_which_are_there(client: httpx2.AsyncClient, path: str) -> None:
    page = await client.get(path)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" not in page.text
    assert "style=" not in page.text
    assert OUTSIDE.search(page.text) is None
    assert "<Sample>" not in page.text
    loaded = re.findall(r'(?:src|href|data-openapi)="([^"]+)"', page.text)
    assert len(loaded) >= 2
    for address in loaded:
        assert address.startswith("/")
        answer = await client.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_policy_of_each_page_allows_no_inline_script_and_no_other_origin(client: httpx2.AsyncClient) -> None:
    for path in ("/docs", "/redoc", "/problems"):
        policy = (await client.get(path)).headers["content-security-policy"]
        directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert directives["default-src"] == "'none'"
        assert directives.get("script-src", "'self'") == "'self'"
        assert directives["frame-ancestors"] == directives["base-uri"] == directives["form-action"] == "'none'"
        assert "http" not in policy
        assert ("unsafe" in policy) == (path == "/redoc")


def test_the_vendored_files_load_nothing_from_outside() -> None:
    static = files("freehold.web") / "static"
    for name in ("swagger-ui-bundle.js", "redoc.standalone.js", "swagger-ui.css"):
        text = (static / name).read_text(encoding="utf-8")
        assert "cdn." not in text
        assert not re.findall(r"""(?:src:|url\()\s*["']?https?://""", text)
        assert "sourceMappingURL=redoc.standalone" not in text
    for licence in ("swagger-ui.LICENSE", "swagger-ui.NOTICE", "redoc.LICENSE"):
        assert (static / licence).is_file()


async def test_the_document_is_the_applications(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()["paths"]) == ["/v1/books"]


async def test_E06_without_show_only_the_problem_codes_are_there() -> None:
    transport = httpx2.ASGITransport(app=Edge(_app(show=False)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        for path in ("/docs", "/redoc", "/openapi.json", "/docs/assets/swagger-ui-bundle.js"):
            assert (await client.get(path)).status_code == 404
        assert (await client.get("/problems")).status_code == 200


async def test_E01_the_type_of_a_problem_leads_to_its_row(client: httpx2.AsyncClient) -> None:
    refused = (await client.get("/nowhere")).json()
    path, _, anchor = refused["type"].partition("#")
    page = (await client.get(path)).text
    assert f'id="{anchor}"' in page
    for entry in entries(module_prefix="freehold."):
        assert f'id="{entry.code}"' in page


async def test_the_pages_follow_the_path_they_are_served_under() -> None:
    transport = httpx2.ASGITransport(app=Edge(_app(show=True)), root_path="/api")
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        page = (await client.get("/api/docs")).text
    assert 'data-openapi="/api/openapi.json"' in page
    assert 'src="/api/docs/assets/swagger-init.js"' in page


async def test_no_asset_outside_the_list_can_be_read(client: httpx2.AsyncClient) -> None:
    for path in ("/docs/assets/README.md", "/docs/assets/../docs.py", "/docs/assets/%2e%2e/docs.py", "/docs/assets/"):
        assert (await client.get(path)).status_code == 404
