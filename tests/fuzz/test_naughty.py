"""V10: a naughty string in any place gives no 5xx, and reads back as it was written or is refused as input."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.fuzz.specimen import Specimen, build

from freehold.testing import Factory, Naughty, Stage, naughty, running
from freehold.testing.callers import principal_for
from freehold.testing.wire import Answer, ask

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(1200)]
ALL = bool(os.environ.get("FREEHOLD_TEST_FUZZ_CASES"))
EVERY = 1 if ALL else 36  # of the strings, in the places that need one request each
TELLTALES = (b"Traceback", b"sqlalchemy", b"sqlite3", b"asyncpg", b"syntax error", b"SELECT ", b'File "')
HEADERS = ("authorization", "idempotency-key", "if-match", "if-none-match", "accept", "content-type", "x-request-id")
PARAMETERS = ("name", "name__contains", "name__in", "amount__gte", "colour", "seen_at__lt", "q", "sort", "limit", "cursor",
              "expand", "facets", "count", "near", "bbox")  # fmt: skip


class Visitor:
    """Somebody who writes odd things."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.headers = stage.admit(principal_for())

    async def send(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """One request; any 5xx or word from inside fails."""
        content = None if body is None else orjson.dumps(body)
        headers = {
            **self.headers,
            **({} if body is None else {"content-type": "application/json"}),
            **more.pop("headers", {}),
        }
        answer = await ask(self.stage.app, method, path, headers=headers, body=content, **more)
        assert answer.status < 500, (method, path[:200], more, answer)
        said = orjson.dumps([path, str(more)]) + (content or b"")
        assert answer.status < 400 or not any(word in answer.body and word not in said for word in TELLTALES), answer
        return answer


def test_there_are_at_least_500_of_them_and_each_is_text() -> None:
    found = naughty()
    assert len(found) >= 500
    assert len({each.text for each in found}) == len(found)
    assert all(each.text.encode() for each in found if each.text)


async def test_V10_text_reads_back_as_written_or_is_refused(database_url: str, tmp_path: Path) -> None:
    async with running(build(tmp_path, url=database_url)) as stage:
        visitor = Visitor(stage)
        kept = 0
        for each in naughty() if ALL else naughty()[0 if "sqlite" in database_url else 5 :: 10]:
            body = {"name": each.text[:200], "story": each.text, "notes": {"a": [each.text], each.text: 1}}
            made = await visitor.send("POST", "/v1/specimens", body)
            assert made.status in (201, 422), (each, made)
            if made.status == 422:
                _assert_refusable(each)
                continue
            kept += 1
            location = dict(made.headers)["location"]
            shown = orjson.loads((await visitor.send("GET", location)).body)
            assert {name: shown[name] for name in body} == body
            changed = await visitor.send("PATCH", location, {"story": each.text})
            assert changed.status == 200
            query = (("name", each.text[:200]), ("count", "true"))
            listed = await visitor.send("GET", "/v1/specimens", query=query)
            assert listed.status in (200, 422)
            if listed.status == 200:
                assert orjson.loads(listed.body)["total"] >= 1, each
        assert kept > 40


async def test_V10_a_fault_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(body: bytes) -> None:
        if b"%s" in body:
            raise RuntimeError("a planted fault")

    monkeypatch.setattr("freehold.web.body.parse", broken)
    async with running(build(tmp_path)) as stage:
        visitor = Visitor(stage)
        await visitor.send("POST", "/v1/specimens", {"name": "plain"})
        with pytest.raises(AssertionError, match="500"):
            await visitor.send("POST", "/v1/specimens", {"name": "%s"})


def _assert_refusable(each: Naughty) -> None:
    """What a text column may refuse: control characters, also of direction, line breaks in a line, what is too long."""
    refused = {"Cc", "Zl", "Zp"}
    is_control = any(
        unicodedata.category(letter) in refused
        or unicodedata.bidirectional(letter) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        for letter in each.text
    )
    assert is_control or len(each.text) > 10_000, each


def places(text: str) -> Iterator[tuple[str, str, Any, dict[str, Any]]]:
    """Every place but the text fields: method, path, body, the rest."""
    for name in PARAMETERS:
        yield "GET", "/v1/specimens", None, {"query": ((name, text[:2000]),)}
    yield "GET", "/v1/specimens", None, {"query": ((text[:2000], "1"),)}
    for path in (
        f"/v1/specimens/{text[:1000]}",
        f"/v1/specimens/{text[:1000]}/mark",
        f"/{text[:1000]}",
        f"/v1/users/{text[:1000]}",
    ):
        yield "GET", path, None, {}
        yield "POST", path, {"reason": text}, {}
    if text.isprintable() and text.isascii():
        for name in HEADERS:
            yield "GET", "/v1/specimens", None, {"headers": {name: text[:2000]}}
            yield "POST", "/v1/specimens", {"name": "x"}, {"headers": {name: text[:2000]}}
    for field in ("amount", "total", "price", "weight", "is_rare", "colour", "found_on", "seen_at", "id", text):
        yield "POST", "/v1/specimens", {"name": "x", field: text}, {}
    yield "POST", "/v1/auth/token", {"username": text, "password": text}, {}
    yield "POST", "/v1/users", {"email": text, "password": text, "full_name": text}, {}
    yield "POST", "/v1/users", {"email": "a@example.org", "password": "lantern quarry velvet 42", "full_name": text}, {}


async def test_V10_no_place_gives_a_5xx(database_url: str, tmp_path: Path) -> None:
    async with running(build(tmp_path, url=database_url)) as stage:
        make: Factory = stage.make
        await make(Specimen)
        visitor = Visitor(stage)
        sent = 0
        for each in naughty()[::EVERY]:
            for method, path, body, more in places(each.text):
                async with stage.aside():
                    await visitor.send(method, path, body, **more)
                sent += 1
        assert sent > 300
