"""How the client is served: names that change with the files, right types, nothing inline, nothing else readable."""

from __future__ import annotations

import re

import pytest

from .world import Person

pytestmark = pytest.mark.anyio


class TestServing:
    async def test_one_page_for_every_view_and_every_file_it_names_is_there(self, anonymous: Person) -> None:
        page = await anonymous.get("/app")
        assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert (await anonymous.get("/app/homes/any")).text == page.text
        names = re.findall(r'(?:href|src)="(/app/assets/[^"]+)"', page.text)
        assert any(name.endswith("/js/main.js") for name in names)
        for name in names:
            file = await anonymous.get(name)
            assert file.status == 200, name
            expected = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}[name.rpartition(".")[2]]
            assert file.headers["content-type"].startswith(expected)
            assert file.headers["x-content-type-options"] == "nosniff"
            assert "immutable" in file.headers["cache-control"]

    async def test_an_unchanged_page_is_304(self, anonymous: Person) -> None:
        page = await anonymous.get("/app")
        again = await anonymous.get("/app", If_None_Match=page.headers["etag"])
        assert (again.status, again.text) == (304, "")

    async def test_the_policy_allows_own_files_alone(self, anonymous: Person) -> None:
        page = await anonymous.get("/app")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page.text)

    @pytest.mark.parametrize("name", ["../serving.py", "..%2fserving.py", "js/absent.js", "js"])
    async def test_only_the_files_of_the_client_can_be_read(self, anonymous: Person, name: str) -> None:
        page = await anonymous.get("/app")
        base = re.findall(r'src="(/app/assets/[^/]+)/', page.text)[0]
        answer = await anonymous.get(f"{base}/{name}")
        # httpx resolves `..` before it asks, so that one asks for a view: the page, never the file.
        assert answer.status == 404 or answer.text == page.text

    async def test_files_of_another_version_are_not_there(self, anonymous: Person) -> None:
        assert (await anonymous.get("/app/assets/0000000000000000/js/main.js")).status == 404
