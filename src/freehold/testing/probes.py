"""The requests of a proof: each operation, asked about what is there and about what may not be known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import Enum as Enumeration
from sqlalchemy import String, inspect

from freehold.query.spec import DELETED
from freehold.resource.inputs import stored_type
from freehold.testing.scene import Rows

if TYPE_CHECKING:
    from freehold.web.bound import Bound
    from freehold.web.mounting import Operation

_WORDS = re.compile(r"\w+")
_MOST_VALUES = 6  # of one field that are asked for: enough to meet a secret and a known row


@dataclass(frozen=True, slots=True)
class Probe:
    """One request. about: the operation's id, for the report."""

    about: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_safe(self) -> bool:
        """Whether it changes nothing."""
        return self.method == "GET"

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query)
        return f"{self.method} {self.path}{'?' + query if query else ''}"


def probes(operations: Iterable[Operation], rows: Rows, bodies: Mapping[str, Any]) -> Iterator[Probe]:
    """Every request of the proof. bodies: by operation id, where the body cannot be guessed from a row."""
    for operation in operations:
        nested = operation.kind in ("list", "create") and operation.detail is not None
        parents = _parents(operation, rows) if nested else [None]
        for parent in parents:
            path = operation.path if parent is None else operation.path.replace("{id}", str(parent))
            if operation.kind == "list":
                yield from _lists(operation, path, rows)
            elif operation.kind == "create":
                yield from _creations(operation, path, rows, bodies)
            elif operation.kind == "overview":
                yield Probe(operation.id, "GET", path)
        if operation.kind == "export":
            yield from (Probe(operation.id, "GET", operation.path, (("format", each),)) for each in ("csv", "jsonl"))
            continue
        if not nested and operation.kind not in ("list", "create", "overview"):
            for row in rows.of(operation.bound):
                yield from _about_row(operation, row, rows, bodies)


def key_of(bound: Bound, row: Any) -> str:
    """The key of a row as it stands in a path."""
    return str(getattr(row, bound.key_name))


def sample_body(operation: Operation, row: Any, bodies: Mapping[str, Any]) -> Any:
    """A body for an operation: the one given, or the row's own values under the names of the schema."""
    if operation.id in bodies:
        return bodies[operation.id]
    if operation.body is None:
        return None
    if operation.kind in ("bulk_create", "bulk_update"):
        return _bulk_body(operation, row)
    if row is not None and isinstance(row, operation.bound.model):
        kept = operation.body.model_fields.keys() - operation.bound.resource.access.write_fields.keys()
        return {name: to_jsonable_python(getattr(row, name)) for name in sorted(kept) if hasattr(row, name)}
    return _documented(operation)


def _bulk_body(operation: Operation, row: Any) -> Any:
    """One item: the row once more, or no change of it."""
    bound = operation.bound
    if operation.kind == "bulk_update":
        return {"items": [{"id": key_of(bound, row), "changes": {}}] if row is not None else []}
    kept = bound.create_schema.model_fields.keys() - bound.resource.access.write_fields.keys()
    return {"items": [{name: to_jsonable_python(getattr(row, name)) for name in sorted(kept) if hasattr(row, name)}]}


def _documented(operation: Operation) -> Any:
    assert operation.body is not None
    shown = operation.body.model_json_schema().get("examples")
    return shown[0] if shown else {}


def _parents(operation: Operation, rows: Rows) -> list[str]:
    noun = operation.path.rpartition("/{id}/")[0].rpartition("/")[2]
    return [key_of(bound, row) for bound in rows.by_bound if bound.resource.name == noun for row in rows.of(bound)]


def _lists(operation: Operation, path: str, rows: Rows) -> Iterator[Probe]:
    spec, found = operation.spec, rows.of(operation.bound)

    def ask(*query: tuple[str, str]) -> Probe:
        return Probe(operation.id, "GET", path, query)

    yield from (ask(), ask(("count", "true")), ask(("limit", "1")))
    if operation.detail is not None:
        return  # the same list, asked in full where it stands by itself
    for name in spec.sorts:
        yield from (ask(("sort", name)), ask(("sort", f"-{name}"), ("limit", "1")))
    for parameter, asked in spec.filters.items():
        for value in _values(found, asked.field.column, asked.operation):
            yield ask((parameter, value), ("count", "true"))
    if spec.search is not None:
        for word in sorted(_words(found, spec.search_sources)):
            yield ask(("q", word), ("count", "true"))
    yield from _extras(operation, found, ask)


def _extras(operation: Operation, found: Sequence[Any], ask: Any) -> Iterator[Probe]:
    spec = operation.spec
    for name in spec.expand:
        yield ask(("expand", name))
    if spec.facets:
        yield ask(("facets", ",".join(spec.facets)))
    if spec.shows_deleted:
        yield ask((DELETED, "true"), ("count", "true"))
    if spec.geo is not None:
        yield from _near(spec.geo, found, ask)


def _near(geo: Any, rows: Sequence[Any], ask: Any) -> Iterator[Probe]:
    for row in rows:
        latitude, longitude = (getattr(row, _attribute(row, part.column)) for part in geo)
        if latitude is not None and longitude is not None:
            yield ask(("near", f"{latitude},{longitude}"), ("within_km", "1"), ("count", "true"))


def _about_row(operation: Operation, row: Any, rows: Rows, bodies: Mapping[str, Any]) -> Iterator[Probe]:
    path = operation.path.replace("{id}", key_of(operation.bound, row))
    if operation.kind in ("one", "view", "history"):
        yield Probe(operation.id, "GET", path)
        yield Probe(operation.id, "GET", path, headers={"If-None-Match": '"0-0"'})
        return
    if operation.kind == "update":
        yield Probe(operation.id, "PATCH", path, body={})
        yield Probe(operation.id, "PATCH", path, body={}, headers={"If-Match": '"999999-0"'})
        yield from _moves(operation, path, rows)
    body = sample_body(operation, row, bodies)
    if operation.kind == "update" and isinstance(body, dict):
        for name, value in body.items():
            yield Probe(operation.id, "PATCH", path, body={name: value})
        return
    yield Probe(operation.id, operation.method, path, body=body)


def _moves(operation: Operation, path: str, rows: Rows) -> Iterator[Probe]:
    """The row pointed at every row that there is (Z09)."""
    for name, value in _ends(operation, rows):
        yield Probe(operation.id, "PATCH", path, body={name: value})


def _ends(operation: Operation, rows: Rows) -> Iterator[tuple[str, str]]:
    assert operation.body is not None
    for name, target in operation.bound.links.items():
        if name not in operation.body.model_fields:
            continue
        for bound in rows.by_bound:
            if bound.table is target.table:
                yield from ((name, key_of(bound, row)) for row in rows.of(bound))


def _creations(operation: Operation, path: str, rows: Rows, bodies: Mapping[str, Any]) -> Iterator[Probe]:
    """What is there once more (is the name taken?), and the first of it pointed at every row that there is."""
    drafts = [sample_body(operation, row, bodies) for row in rows.of(operation.bound) or [None]]
    drafts += [bodies[operation.id]] if operation.id in bodies else []
    for draft in drafts:
        yield Probe(operation.id, "POST", path, body=draft)
    if not isinstance(drafts[0], dict):
        return
    for name in sorted(_plain_texts(operation.bound) & drafts[0].keys()):
        yield Probe(operation.id, "POST", path, body={**drafts[0], name: f"{drafts[0][name]} 2"})  # not taken
    for name, value in _ends(operation, rows):
        yield Probe(operation.id, "POST", path, body={**drafts[0], name: value})


def _plain_texts(bound: Bound) -> set[str]:
    return {
        each.key
        for each in bound.mapper.column_attrs
        if isinstance(kind := stored_type(each.columns[0].type), String) and not isinstance(kind, Enumeration)
    }


def _attribute(row: Any, column: Any) -> str:
    return str(inspect(type(row)).get_property_by_column(column).key)


def _values(rows: Sequence[Any], column: Any, operation: str) -> list[str]:
    if operation == "isnull":
        return ["true", "false"]
    found: dict[str, None] = {}
    for row in rows:
        value = getattr(row, _attribute(row, column))
        if value is not None:
            found.setdefault(query_text(value)[:40] if operation == "contains" else query_text(value))
    return list(found)[:_MOST_VALUES] + list(found)[-_MOST_VALUES:] if len(found) > 2 * _MOST_VALUES else list(found)


def query_text(value: Any) -> str:
    """A value as a query parameter writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime | date | Decimal | UUID):
        return str(to_jsonable_python(value))
    return str(value)


def _words(rows: Sequence[Any], sources: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for row in rows:
        for source in sources:
            found.update(_WORDS.findall(str(getattr(row, source, None) or ""))[:3])
    return set(sorted(found)[:60])
