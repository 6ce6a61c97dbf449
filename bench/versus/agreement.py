"""Whether all answer alike, before anything is timed: same statuses, same JSON, same rows in the same order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx2
from bench.versus.data import ROWS
from bench.versus.people import Callers
from bench.versus.serving import Served
from bench.versus.workloads import DRAFT, SEARCHED, deep_path, some_ids

_MADE = ("id", "created_at", "updated_at")


class Disagreement(AssertionError):
    """A contender answers something else than Freehold does. The message shows both."""


def answers(server: Served, callers: Callers) -> dict[str, Any]:
    """What a server says to the questions of every workload, in one spelling."""
    tokens = callers.ours if server.contender.is_ours else callers.peers
    with httpx2.Client(base_url=server.url, timeout=30) as client:
        return dict(_asked(client, server, {"Authorization": f"Bearer {tokens[0]}"}))


def _asked(client: httpx2.Client, server: Served, signed_in: dict[str, str]) -> Iterator[tuple[str, Any]]:
    one, *others = [f"/v1/properties/{each}" for each in some_ids(4, rows=ROWS)]
    lists = ["/v1/properties?city=City%20017&limit=20", f"/v1/properties?city=City%20042&{SEARCHED}"]
    for path in (*others, *lists, "/v1/status"):
        yield path, _plain(client.get(path))
    yield "page 1,000", _plain(client.get(deep_path(server)))
    for path in ("/v1/users/me", "/v1/notes?limit=20"):
        yield path, _plain(client.get(path, headers=signed_in))
        yield f"{path}, anonymous", client.get(path).status_code
    made = client.post("/v1/properties", json=DRAFT, headers=signed_in)
    yield "insert", _without(_plain(made), _MADE)
    yield "inserted", _without(_plain(client.get(f"/v1/properties/{made.json()['id']}")), _MADE)
    yield "insert, anonymous", client.post("/v1/properties", json=DRAFT).status_code
    tag = client.get(one).headers.get("etag", "")
    yield "unchanged", client.get(one, headers={"If-None-Match": tag}).status_code
    changed = client.patch(one, json={"price_amount": 777}, headers={**signed_in, "If-Match": tag})
    yield "patch", _without(_plain(changed), ("updated_at",))
    yield "stale", client.patch(one, json={"price_amount": 778}, headers={**signed_in, "If-Match": tag}).status_code
    again = {**signed_in, "If-Match": changed.headers.get("etag", "")}
    yield "patched once more", client.patch(one, json={"price_amount": 779}, headers=again).status_code


def compare(ours: dict[str, Any], theirs: dict[str, Any], name: str) -> None:
    """Raises Disagreement at the first question that is answered otherwise."""
    for question, answer in ours.items():
        if theirs.get(question) != answer:
            raise Disagreement(f"{name}, {question}:\n{theirs.get(question)}\nwhere Freehold says\n{answer}")


def _plain(answer: httpx2.Response) -> Any:
    """Status and JSON. A cursor is each one's own business, and an instant has several spellings."""
    found = answer.json()
    if isinstance(found, dict):
        found.pop("next_cursor", None)
    return [answer.status_code, _spelled(found)]


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _spelled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_spelled(each) for each in value]
    if isinstance(value, str) and value[4:5] == "-" and value[10:11] == "T":
        return datetime.fromisoformat(value)
    return value


def _without(found: list[Any], names: tuple[str, ...]) -> list[Any]:
    status, body = found
    return [status, {name: value for name, value in body.items() if name not in names}]
