"""Paths -> compiled operations, and for the others why they are none."""

from __future__ import annotations

import re
from typing import Any, Final, Protocol, TypeGuard

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette._utils import get_route_path
from starlette.routing import Route, compile_path
from starlette.types import ASGIApp, Receive, Scope

from freehold.identity.service import Identity
from freehold.observe.logs import get_logger
from freehold.query.fields import Kind
from freehold.resource.declaration import Nested
from freehold.web.admission import Endpoint
from freehold.web.compiled.direct_operation import DirectOperation
from freehold.web.compiled.listing import Listing
from freehold.web.compiled.own_user import OwnUser
from freehold.web.compiled.point import PointRead
from freehold.web.compiled.straight import StraightCall
from freehold.web.compiled.writing import Writing
from freehold.web.edge_methods import matching_route
from freehold.web.mounting import Mounted, Operation
from freehold.web.reads import Reads
from freehold.web.runtime import Runtime
from freehold.web.unit import declared

_log = get_logger("freehold.compiled")
# Only the one spelling that every server writes; whatever else may name the same row goes the long way.
_KEYS: Final = {
    Kind.UUID: re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    Kind.INTEGER: re.compile(r"[1-9][0-9]{0,8}"),
}
_SAMPLES: Final = {Kind.UUID: "01890a5d-ac96-774b-bcce-b302099a8057", Kind.INTEGER: "1"}

OWN: Final = "/v1/users/me"
_KINDS: Final = frozenset({"one", "list", "create", "update", "delete", "action", "restoration"})


class Compiled(Protocol):
    """One operation."""

    async def answer(self, parts: Runtime, scope: Scope, receive: Receive) -> ASGIApp:
        """The answer, ready to be sent. Raises a Problem."""
        ...


class Place:
    """Where an operation stands. keys: how a key in its path is spelt; None where there is none."""

    __slots__ = ("direct", "keys", "operation", "template")

    def __init__(self, template: str, operation: Compiled, keys: re.Pattern[str] | None) -> None:
        self.template = template
        self.operation = operation
        self.direct = operation if _is_direct(operation) else None
        self.keys = keys


def _is_direct(operation: object) -> TypeGuard[DirectOperation]:
    return hasattr(operation, "question")


Found = tuple[Place, str | None]
"""What answers a request, and the key of the row as it stands in the path."""


class Places:
    """The compiled operations of one method, by where they stand."""

    def __init__(self) -> None:
        self.exact: dict[str, Found] = {}
        self.below: dict[str, Place] = {}
        self.nested: dict[tuple[str, str], Place] = {}

    def add(self, place: Place) -> None:
        """Put an operation where its path leads."""
        head, _, name = place.template.rpartition("/")
        if place.keys is None:
            self.exact[place.template] = place, None
        elif name == "{id}":
            self.below[head] = place
        else:
            self.nested[head.rpartition("/")[0], name] = place

    def find(self, path: str, question: bytes) -> Found | None:
        """The operation that answers. question: parameters, which no operation on a single row has here."""
        exact = self.exact.get(path)
        if exact is not None:
            return exact
        head, _, key = path.rpartition("/")
        place = self.below.get(head)
        if place is None:
            return self._nested_in(head, key)
        if question or place.keys is None or place.keys.fullmatch(key) is None:
            return None
        return place, key

    def _nested_in(self, path: str, name: str) -> Found | None:
        head, _, key = path.rpartition("/")
        place = self.nested.get((head, name))
        if place is None or place.keys is None or place.keys.fullmatch(key) is None:
            return None
        return place, key


class Table:
    """The compiled operations of an application. Made anew when routes are added."""

    def __init__(self, app: FastAPI, mounted: Mounted) -> None:
        self._app = app
        self._mounted = mounted
        self._size = -1
        self._places: dict[str, Places] = {}
        self._reasons: dict[tuple[str, str], str] = {}
        settings = getattr(app, "settings", None)
        self.is_off = settings is not None and settings.compiled == "off"

    def find(self, scope: Scope) -> Found | None:
        """The operation of a request; None for what goes to FastAPI."""
        return self.find_at(scope["method"], get_route_path(scope), scope["query_string"])

    def find_at(self, method: str, path: str, question: bytes) -> Found | None:
        """The same by its parts. path: below what this is mounted under. Overridden dependencies switch the table off."""
        if self._size != len(self._app.router.routes):
            self._make()
        places = self._places.get(method)
        return None if places is None or self._app.dependency_overrides else places.find(path, question)

    def reason(self, method: str, path: str) -> str:
        """Why an operation is not compiled; empty where it is."""
        if self.is_off:
            return "FREEHOLD_COMPILED=off"
        if self._size != len(self._app.router.routes):
            self._make()
        return self._reasons.get((method, path), "not of a resource")

    def _make(self) -> None:
        self._size = len(self._app.router.routes)
        self._places.clear()
        self._reasons.clear()
        self._add_own_user()
        for operation in self._mounted.operations:
            why = (
                "the application has dependencies of its own" if self._app.router.dependencies else self._add(operation)
            )
            self._reasons[operation.method, operation.path] = why

    def _add_own_user(self) -> None:
        """Of a Freehold with accounts."""
        identity: Identity | None = getattr(self._app, "identity", None)
        if identity is None or self._app.router.dependencies:
            return
        found = next(
            (
                each
                for each in iter_route_contexts(self._app.routes)
                if each.path == OWN and "GET" in (each.methods or ())
            ),
            None,
        )
        mark = declared(found) if found is not None and isinstance(found.original_route, APIRoute) else None
        if found is None or mark is None or not mark.policy("").is_nothing or not self._is_first(OWN, found):
            return
        own = OwnUser(identity)
        self._reasons["GET", OWN] = "what is shown of an account needs an object"
        if own.is_possible:
            self._at("GET").add(Place(OWN, own, None))
            self._reasons["GET", OWN] = ""

    def _is_first(self, path: str, wanted: Any) -> bool:
        """Whether no route before it has the path."""
        for each in iter_route_contexts(self._app.routes):
            if each.original_route is wanted.original_route and each.path == wanted.path:
                return True
            if each.path is None or not isinstance(each.original_route, APIRoute | Route):
                return False  # a mounted application, a host: who knows
            if "GET" in (each.methods or ()) and compile_path(each.path)[0].match(path):
                return False
        return False

    def _at(self, method: str) -> Places:
        return self._places.setdefault(method, Places())

    def _add(self, operation: Operation) -> str:
        if operation.kind not in _KINDS:
            return f"its kind is {operation.kind}"
        # The row that a path names is of the resource itself, or of the one above.
        above = self._above(operation) if isinstance(operation.detail, Nested) else None
        kind = (above or self._mounted.reads[operation.bound.model]).spec.key.kind
        if not self._leads_here(operation, kind):
            return "an earlier route has its path"
        if "{id}" in operation.path and kind not in _KEYS:
            return "its key is neither a UUID nor a number"
        keys = _KEYS[kind] if "{id}" in operation.path else None
        self._at(operation.method).add(Place(operation.path, self._made(operation, above), keys))
        return ""

    def _above(self, operation: Operation) -> Reads:
        return next(
            self._mounted.reads[each.model]
            for each in self._mounted.bounds
            if any(operation.detail is nested for nested in each.resource.children)
        )

    def _made(self, operation: Operation, above: Reads | None) -> Compiled:
        reads, own = self._mounted.reads[operation.bound.model], operation.policy
        if operation.cache is not None or own.limits_progress:
            return StraightCall(_called(operation))
        if operation.write is not None:
            return Writing(operation.write, own)
        if operation.kind == "one":
            return PointRead(reads, own)
        if above is None:
            return Listing(reads, own)
        assert isinstance(operation.detail, Nested), "of lists, the nested ones alone have a detail"
        return Listing(reads, own, (above.bound, operation.detail.by))

    def _leads_here(self, operation: Operation, kind: Kind) -> bool:
        """Ask the router itself, so that an overlapping route of the application's own wins as it would there."""
        sample = operation.path.replace("{id}", _SAMPLES.get(kind, "x"))
        probe: dict[str, Any] = {
            "type": "http",
            "path": sample,
            "root_path": "",
            "method": operation.method,
            "headers": [],
        }
        try:
            found = matching_route({**probe, "app": self._app}, operation.method, self._app)
        except Exception as error:  # noqa: BLE001 (internals that are not those that were tested: FastAPI serves)
            _log.warning("the router could not be asked", route=operation.path, why=str(error))
            return False
        return getattr(found, "name", None) == operation.id


def table_of(app: FastAPI, mounted: Mounted) -> Table:
    """The table of an application, made once."""
    found: Table | None = getattr(app.state, "fh_table", None)
    if found is None:
        found = app.state.fh_table = Table(app, mounted)
    return found


def _called(operation: Operation) -> Endpoint:
    assert operation.endpoint is not None, "every mounted operation has one"
    return operation.endpoint
