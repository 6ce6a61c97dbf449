"""Resources become path operations, each with what the document has to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import inspect

from freehold.errors import ConfigurationError
from freehold.query.cursor import Cursors
from freehold.query.declare import build_spec
from freehold.query.spec import ListSpec
from freehold.resource.access import Rule
from freehold.resource.base import snake
from freehold.resource.declaration import Action, Nested, Resource, View
from freehold.store.plans import ResourcePlans
from freehold.web.bound import Bound
from freehold.web.guard import is_closed
from freehold.web.history import Histories
from freehold.web.reads import Endpoint, Reads
from freehold.web.writes import Writes


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One mounted operation: where, what kind, under which rule, and the schemas that its document shows.

    kind: list, create, one, update, delete, action, restoration, view, history. id: the stable operation id.
    """

    kind: str
    method: str
    path: str
    id: str
    rule: Rule
    bound: Bound
    spec: ListSpec
    status: int = 200
    body: type[BaseModel] | None = None
    detail: Action | View | Nested | None = None
    summary: str = ""


@dataclass(slots=True)
class Mounted:
    """The resources of one application, bound, with their operations in order."""

    bounds: list[Bound] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    reads: dict[Any, Reads] = field(default_factory=dict)


def mount(resources: Sequence[Resource], *, prefix: str, secret: bytes) -> tuple[APIRouter, Mounted]:
    """Build the routes of all resources. Raises ConfigurationError for a wrong declaration."""
    router = APIRouter(redirect_slashes=False)
    mounted = Mounted([Bound(resource) for resource in resources])
    _refuse_twins(resources)
    _refuse_absent_children(resources)
    expandable = [bound.model for bound in mounted.bounds]
    reads = mounted.reads
    cursors = Cursors(secret)
    plans: dict[Any, ResourcePlans] = {}
    for bound in mounted.bounds:
        spec = build_spec(bound.resource, bound.read_schema, expandable=expandable)
        plans[bound.model] = ResourcePlans(spec, bound.read_schema, registry=plans)
        reads[bound.model] = Reads(bound, plans[bound.model], cursors)
        reads[bound.model].siblings = reads
    for bound in mounted.bounds:
        _Mounter(router, mounted, bound, reads, prefix).mount()
    return router, mounted


def _refuse_twins(resources: Sequence[Resource]) -> None:
    seen: dict[Any, str] = {}
    for resource in resources:
        for identity in (resource.name, resource.model):
            if identity in seen:
                raise ConfigurationError(
                    f"two resources are declared for {resource.name!r}: one model and one path, one resource"
                )
            seen[identity] = resource.name


def _refuse_absent_children(resources: Sequence[Resource]) -> None:
    given = {resource.model for resource in resources}
    for resource in resources:
        for nested in resource.children:
            if nested.child.model not in given:
                raise ConfigurationError(
                    f"{resource.name}: nested({nested.name!r}) names the resource {nested.child.name!r}, which the "
                    "application does not have: pass it to Freehold(...) beside this one"
                )


class _Mounter:
    def __init__(self, router: APIRouter, mounted: Mounted, bound: Bound, reads: dict[Any, Reads], prefix: str) -> None:
        self._router = router
        self._mounted = mounted
        self._bound = bound
        self._all = reads
        self._reads = reads[bound.model]
        self._path = f"{prefix}/{bound.resource.name}"
        self._writes = Writes(bound, self._reads, self._path)
        self._noun = snake(bound.model.__name__)
        self._plural = bound.resource.name.replace("-", "_")

    def mount(self) -> None:
        resource, bound, item = self._bound.resource, self._bound, f"{self._path}/{{id}}"
        label = self._noun.replace("_", " ")
        several = self._plural.replace("_", " ")
        self._add("list", "GET", self._path, self._reads.list(), f"list_{self._plural}", f"List {several}")
        self._add(
            "create", "POST", self._path, self._writes.create(), f"create_{self._noun}", f"Create a {label}",
            status=201, body=bound.create_schema,
        )  # fmt: skip
        self._add("one", "GET", item, self._reads.one(), f"get_{self._noun}", f"Get a {label}")
        self._add(
            "update", "PATCH", item, self._writes.update(), f"update_{self._noun}", f"Change a {label}",
            body=bound.update_schema,
        )  # fmt: skip
        self._add(
            "delete", "DELETE", item, self._writes.delete(), f"delete_{self._noun}", f"Delete a {label}", status=204
        )
        for action in resource.actions:
            self._action(action, item)
        self._kept(item, label)
        for view in resource.views:
            name = view.name.replace("-", "_").replace(".", "_")
            self._add(
                "view", "GET", f"{item}/{view.name}", self._reads.view(view), f"get_{self._noun}_{name}",
                view.summary or _sentence(view.function) or f"{view.name} of a {label}",
                rule=bound.rule("read") if view.access is None else view.access, detail=view,
            )  # fmt: skip
        for nested in resource.children:
            self._nested(nested, item)

    def _kept(self, item: str, label: str) -> None:
        """What soft deletion and the trail offer: bringing a row back, and looking at what became of it."""
        restored, told = self._bound.resource.restored_by, self._bound.resource.told_by
        if restored is not None:
            self._add(
                "restoration", "POST", f"{item}/restoration", self._writes.restoration(restored),
                f"{self._noun}_restoration", restored.summary or f"Bring a deleted {label} back", rule=restored.access,
                detail=Action("restoration", self._writes.restoration, restored.access, problems=restored.problems),
            )  # fmt: skip
        if told is not None:
            self._add(
                "history", "GET", f"{item}/history", Histories(self._reads, told).page(), f"get_{self._noun}_history",
                f"What became of a {label}, newest first", rule=told.access,
            )  # fmt: skip

    def _action(self, action: Action, item: str) -> None:
        name = action.name.replace("-", "_")
        verb = {"POST": "", "PUT": "", "DELETE": "delete_"}.get(action.method, f"{action.method.lower()}_")
        summary = action.summary or _sentence(action.function) or f"{action.name} of a {self._noun.replace('_', ' ')}"
        self._add(
            "action", action.method, f"{item}/{action.name}", self._writes.action(action),
            f"{verb}{self._noun}_{name}", summary, rule=action.access, status=action.status, body=action.body, detail=action,
        )  # fmt: skip

    def _nested(self, nested: Nested, item: str) -> None:
        child = self._all[nested.child.model]
        if nested.by not in inspect(nested.child.model).column_attrs:
            raise ConfigurationError(f"{nested.child.name} has no column {nested.by!r} to nest by")
        if nested.by not in child.spec.fields:
            raise ConfigurationError(
                f"{nested.child.name}: nested by {nested.by!r}, which its read schema does not show: add the field"
            )
        path, above = f"{item}/{nested.name}", (self._bound, nested.by)
        plural = nested.name.replace("-", "_")
        base = self._path.rpartition("/")[0]
        known = {"bound": child.bound, "spec": child.spec, "detail": nested}
        several = plural.replace("_", " ")
        self._add(
            "list", "GET", path, child.list(parent=above), f"list_{self._noun}_{plural}", f"List {several} of one",
            rule=child.bound.rule("read"), **known,
        )  # fmt: skip
        if not nested.writable:
            return
        writes = Writes(child.bound, child, f"{base}/{nested.child.name}", without=nested.by)
        self._add(
            "create", "POST", path, writes.create(parent=above), f"create_{self._noun}_{plural}", f"Add to {several}",
            rule=child.bound.rule("create"), status=201, body=writes.create_schema, **known,
        )  # fmt: skip

    def _add(  # noqa: PLR0917 (a table of operations reads by position)
        self, kind: str, method: str, path: str, endpoint: Endpoint, operation_id: str, summary: str, **known: Any
    ) -> None:
        bound: Bound = known.pop("bound", self._bound)
        rule: Rule | None = known.pop("rule", None)
        if rule is None:
            rule = bound.rule("read" if kind in ("list", "one") else kind)
        if is_closed(rule):
            return  # a verb without a rule is closed to all: it is not there
        spec = known.pop("spec", self._reads.spec)
        operation = Operation(kind, method, path, operation_id, rule, bound, spec, summary=summary, **known)
        self._mounted.operations.append(operation)
        self._router.add_api_route(
            path, endpoint, methods=[method], name=operation_id, operation_id=operation_id, tags=[bound.resource.tag],
            summary=summary, status_code=operation.status, response_model=None,
        )  # fmt: skip


def _sentence(function: Any) -> str:
    lines = (function.__doc__ or "").strip().splitlines()
    return lines[0].rstrip(".") if lines else ""
