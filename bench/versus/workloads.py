"""What is asked. Each workload makes the requests of one contender as bytes on the wire."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
from bench.versus.data import CITIES, ROWS, property_id
from bench.versus.people import Callers
from bench.versus.serving import Served

DRAFT = {
    "title": "Quiet loft near the harbour",
    "description": "Three minutes from the tram, with a garden that faces south and a cellar for bicycles.",
    "city": "Benchville",
    "kind": "flat",
    "bedrooms": 2,
    "bathrooms": 1,
    "area_m2": 64,
    "price_amount": 125000,
    "price_currency": "EUR",
    "latitude": 47.25,
    "longitude": 8.5,
    "built_in": 1931,
}
SEARCHED = "bedrooms__gte=2&kind=flat&q=harbour&sort=-created_at&limit=20"
DEEP = 19_980  # rows before page 1,000


@dataclass(frozen=True, slots=True)
class Asked:
    """The server that is asked, by whom, and how many properties it has."""

    server: Served
    callers: Callers
    rows: int = ROWS

    @property
    def tokens(self) -> Sequence[str]:
        """The callers' tokens as this server knows them."""
        return self.callers.ours if self.server.contender.is_ours else self.callers.peers


@dataclass(frozen=True, slots=True)
class Plan:
    """Requests in turn. first: one for each connection, whose answer's ETag the requests then follow."""

    requests: Sequence[str]
    first: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of request, and the status that answers it."""

    name: str
    title: str
    plan: Callable[[Asked], Plan] = field(repr=False)
    expected: int = 200


def raw(method: str, path: str, *, token: str | None = None, body: Any = None, headers: Sequence[str] = ()) -> str:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    data = "" if body is None else json.dumps(body)
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    return "\r\n".join(lines) + "\r\n\r\n" + data.replace('"@NUMBER@"', "@NUMBER@")


def some_ids(number: int, *, rows: int) -> list[str]:
    """Ids of properties, all over the table, the same ones each time."""
    chance = random.Random(1)
    return [property_id(chance.randrange(1, rows + 1)) for _ in range(number)]


def by_id(asked: Asked) -> Plan:
    """One row, each time another."""
    return Plan([raw("GET", f"/v1/properties/{each}") for each in some_ids(5000, rows=asked.rows)])


def by_city(asked: Asked) -> Plan:
    """The newest of a city."""
    return Plan([raw("GET", f"/v1/properties?city=City%20{n:03}&limit=20") for n in range(CITIES)])


def searched(asked: Asked) -> Plan:
    """The newest of a city, of one kind, with bedrooms and a word."""
    return Plan([raw("GET", f"/v1/properties?city=City%20{n:03}&{SEARCHED}") for n in range(CITIES)])


def me(asked: Asked) -> Plan:
    """The account behind a token."""
    return Plan([raw("GET", "/v1/users/me", token=each) for each in asked.tokens])


def owned(asked: Asked) -> Plan:
    """The caller's newest notes."""
    return Plan([raw("GET", "/v1/notes?limit=20", token=each) for each in asked.tokens])


def insert(asked: Asked) -> Plan:
    """A new row."""
    return Plan([raw("POST", "/v1/properties", token=each, body=DRAFT) for each in asked.tokens])


def static(asked: Asked) -> Plan:
    """An answer that is always the same."""
    return Plan([raw("GET", "/v1/status")])


def first_page(asked: Asked) -> Plan:
    """The newest of all."""
    return Plan([raw("GET", "/v1/properties?limit=20")])


def deep_page(asked: Asked) -> Plan:
    """Ours by a cursor, which a client has from the page before; peers by an offset."""
    return Plan([raw("GET", deep_path(asked.server))])


def deep_path(server: Served) -> str:
    """Page 1,000 of the whole list."""
    if not server.contender.is_ours:
        return f"/v1/properties?limit=20&offset={DEEP}"
    cursor, left = "", DEEP
    with httpx2.Client(base_url=server.url) as client:
        while left:
            size = 100 if left >= 100 else 20
            answer = client.get(f"/v1/properties?limit={size}" + (f"&cursor={cursor}" if cursor else ""))
            cursor, left = answer.json()["next_cursor"], left - size
    return f"/v1/properties?limit=20&cursor={cursor}"


def unchanged(asked: Asked) -> Plan:
    """What the client has already: 304."""
    requests = []
    with httpx2.Client(base_url=asked.server.url) as client:
        for each in some_ids(200, rows=asked.rows):
            tag = client.get(f"/v1/properties/{each}").headers["etag"]
            requests.append(raw("GET", f"/v1/properties/{each}", headers=[f"If-None-Match: {tag}"]))
    return Plan(requests)


def patch(asked: Asked) -> Plan:
    """Each connection changes the price of a row of its own, and says which version it has seen."""
    paths = [f"/v1/properties/{property_id(number)}" for number in range(1, 65)]
    # One caller: a quota and a version are looked up the same for each.
    changes = {"price_amount": "@NUMBER@"}
    requests = [_patch(path, asked.tokens[0], changes) for path in paths]
    return Plan(requests, [raw("GET", path) for path in paths])


def _patch(path: str, token: str, changes: dict[str, Any]) -> str:
    found = raw("PATCH", path, token=token, body=changes, headers=["If-Match: @TAG@"])
    told = len(json.dumps(changes))
    return found.replace(f"Content-Length: {told}", f"Content-Length: {told - 2}")  # a number has no quotes


WORKLOADS = {
    each.name: each
    for each in (
        Workload("W1", "one row by id", by_id),
        Workload("W2", "list of 20, one city, newest first", by_city),
        Workload("W3", "the caller's own account, by token", me),
        Workload("W4", "insert, by token", insert, 201),
        Workload("W5", "a static answer", static),
        Workload("search", "three filters and a text search", searched),
        Workload("first", "page 1 of all rows", first_page),
        Workload("deep", "page 1,000 of all rows", deep_page),
        Workload("patch", "PATCH with If-Match", patch),
        Workload("owned", "list of 20 under an owner rule", owned),
        Workload("unchanged", "304 by If-None-Match", unchanged, 304),
    )
}
CORE = ("W1", "W2", "W3", "W4", "W5")
