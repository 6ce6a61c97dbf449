"""Resources become path operations, each with what the document has to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import inspect

from freehold.errors import ConfigurationError
from freehold.jobs import JobRead
from freehold.query.cursor import Cursors
from freehold.query.declare import build_spec
from freehold.query.spec import ListSpec
from freehold.resource.access import Rule, anyone
from freehold.resource.base import snake
from freehold.resource.caching import Cache
from freehold.resource.declaration import Action, Nested, Resource, View
from freehold.resource.signatures import wants_principal
from freehold.store.plans import ResourcePlans
from freehold.traffic.policy import Policy, resource_policy
from freehold.web.admission import Endpoint, under
from freehold.web.bound import Bound
from freehold.web.bulk import Bulk
from freehold.web.exporting import Exports
from freehold.web.guard import is_closed
from freehold.web.history import Histories
from freehold.web.imports import importing_endpoint
from freehold.web.reads import Reads
from freehold.web.remembering import Answer, remembering
from freehold.web.steps import Write
from freehold.web.views import check_view, view_endpoint
from freehold.web.writes import Writes


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One mounted operation: where, what kind, under which rule, and the schemas that its document shows.

    kind: list, export, import, create, one, update, delete, bulk_create, bulk_update, action, restoration, view, overview,
    history. id: the stable operation id. policy: what its resource says of how often it may be asked. cache: whether its
    answers are kept. write: what it does, as a step of a batch. endpoint: what a read calls, its policy around it. returns:
    what it answers, where that is not the resource.
    """

    kind: str
    method: str
    path: str
    id: str
    rule: Rule
    bound: Bound
    spec: ListSpec
    policy: Policy
    cache: Cache | None = None
    write: Write | None = None
    endpoint: Endpoint | None = None
    returns: type[BaseModel] | None = None
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


def mount(router: APIRouter, resources: Sequence[Resource], *, prefix: str, secret: bytes) -> Mounted:
    """Add the routes of all resources. Raises ConfigurationError for a wrong declaration.

    router: the application's own. Routes of a router that is included are each built twice, and matched twice.
    """
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
    return mounted


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
        self._names: set[str] = set()

    def mount(self) -> None:
        resource, bound, item = self._bound.resource, self._bound, f"{self._path}/{{id}}"
        label = self._noun.replace("_", " ")
        several = self._plural.replace("_", " ")
        for overview in resource.overviews:  # before the single row, whose key could be spelt like its name
            self._view("overview", overview, f"{self._path}/{overview.name}")
        listed, shown = f"list_{self._plural}", f"get_{self._noun}"
        self._add(
            "list", "GET", self._path, self._reads.list(answer=self._kept_list(listed)), listed, f"List {several}",
            cache=resource.cache,
        )  # fmt: skip
        self._add(
            "create", "POST", self._path, self._writes.create(), f"create_{self._noun}", f"Create a {label}",
            status=201, body=bound.create_schema, returns=resource.schemas.created,
        )  # fmt: skip
        if resource.batch_size:
            self._bulk(several)
        if not is_closed(resource.imported_by.access):
            self._add(
                "import", "POST", f"{self._path}/import",
                importing_endpoint(bound, prefix=self._path.rpartition("/")[0]), f"import_{self._plural}",
                f"Bring in {several} from a file", rule=_both(resource.imported_by.access, bound.rule("create")), status=202,
                returns=JobRead,
            )  # fmt: skip
        if resource.exported_to is not None:  # before the single row, whose key could be spelt like it
            self._add(
                "export", "GET", f"{self._path}/export", Exports(self._reads, resource.exported_to).endpoint(),
                f"export_{self._plural}", f"The whole list of {several} as a file",
                rule=_both(resource.exported_to, bound.rule("read")),
            )  # fmt: skip
        one = self._reads.one(answer=remembering(shown, resource.cache, rules=[bound.rule("read")]))
        self._add("one", "GET", item, one, shown, f"Get a {label}", cache=resource.cache)
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
            self._view("view", view, f"{item}/{view.name}")
        for nested in resource.children:
            self._nested(nested, item)
        self._refuse_unknown_limits()

    def _refuse_unknown_limits(self) -> None:
        unknown = self._bound.resource.limits.named - self._names
        if unknown:
            raise ConfigurationError(
                f"{self._bound.resource.name}: its limits name {', '.join(map(repr, sorted(unknown)))}, which is no "
                f"operation of it; it has {', '.join(sorted(self._names))}"
            )

    def _kept_list(self, operation_id: str) -> Answer:
        """How the list answers. Who may see deleted rows is one rule more."""
        resource = self._bound.resource
        further = [] if resource.restored_by is None else [resource.restored_by.access]
        return remembering(operation_id, resource.cache, rules=[self._bound.rule("read"), *further])

    def _view(self, kind: str, view: View, path: str) -> None:
        bound = self._bound
        check_view(bound.resource.name, view)
        rule = bound.rule("read") if view.access is None else view.access
        noun, whose = (self._plural, "all") if kind == "overview" else (self._noun, f"a {self._noun.replace('_', ' ')}")
        operation_id = f"get_{noun}_{view.name.replace('-', '_').replace('.', '_')}"
        answer = remembering(
            operation_id, view.cache, rules=[bound.rule("read"), rule], keeps_roles=wants_principal(view.function)
        )
        self._add(
            kind, "GET", path, view_endpoint(self._reads, view, answer=answer), operation_id,
            view.summary or _sentence(view.function) or f"{view.name} of {whose}", rule=rule, detail=view, cache=view.cache,
        )  # fmt: skip

    def _bulk(self, several: str) -> None:
        """Several rows in one request, where one may be written. Each counts as one."""
        bulk, path = Bulk(self._reads, self._writes.create(), self._writes.update()), f"{self._path}/batch"
        bound, created, changed = self._bound, f"create_{self._plural}_batch", f"update_{self._plural}_batch"
        limits = bound.resource.limits
        making = resource_policy(bound.resource.name, limits, "create", operation=created, writes=True)
        changing = resource_policy(bound.resource.name, limits, "update", operation=changed, writes=True)
        self._add(
            "bulk_create", "POST", path, bulk.creating(making), created, f"Create {several}, all or none",
            rule=bound.rule("create"), status=201, body=bulk.creation, returns=bulk.answer, policy=making,
        )  # fmt: skip
        self._add(
            "bulk_update", "PATCH", path, bulk.updating(changing), changed, f"Change {several}, all or none",
            rule=bound.rule("update"), body=bulk.changes, returns=bulk.answer, policy=changing,
        )  # fmt: skip

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
        rule, listed = child.bound.rule("read"), f"list_{self._noun}_{plural}"
        answer = remembering(listed, nested.child.cache, rules=[rule, self._bound.rule("read")])
        self._add(
            "list", "GET", path, child.list(answer=answer, parent=above), listed, f"List {several} of one",
            rule=rule, cache=nested.child.cache, **known,
        )  # fmt: skip
        if not nested.writable:
            return
        writes = Writes(child.bound, child, f"{base}/{nested.child.name}", without=nested.by)
        self._add(
            "create", "POST", path, writes.create(parent=above), f"create_{self._noun}_{plural}", f"Add to {several}",
            rule=child.bound.rule("create"), status=201, body=writes.create_schema, returns=nested.child.schemas.created,
            **known,
        )  # fmt: skip

    def _add(  # noqa: PLR0917 (a table of operations reads by position)
        self, kind: str, method: str, path: str, does: Endpoint | Write, operation_id: str, summary: str, **known: Any
    ) -> None:
        bound: Bound = known.pop("bound", self._bound)
        rule: Rule | None = known.pop("rule", None)
        if rule is None:
            rule = bound.rule("read" if kind in ("list", "one") else kind)
        if is_closed(rule):
            return  # a verb without a rule is closed to all: it is not there
        spec, detail = known.pop("spec", self._reads.spec), known.get("detail")
        resource, name = self._bound.resource, kind if detail is None else detail.name
        self._names.add(name)
        policy = known.pop("policy", None) or resource_policy(
            resource.name, resource.limits, name, operation=operation_id, writes=method != "GET"
        )
        write = does if isinstance(does, Write) else None
        endpoint = under(policy, does.endpoint() if isinstance(does, Write) else does)
        operation = Operation(
            kind, method, path, operation_id, rule, bound, spec, policy, write=write, endpoint=endpoint, summary=summary,
            **known,
        )  # fmt: skip
        self._mounted.operations.append(operation)
        self._router.add_api_route(
            path, endpoint, methods=[method], name=operation_id, operation_id=operation_id, tags=[bound.resource.tag],
            summary=summary, status_code=operation.status, response_model=None,
        )  # fmt: skip


def _both(further: Rule, rule: Rule) -> Rule:
    """What asks for two rules, said once where they say the same."""
    return rule if further in (rule, anyone) else further & rule


def _sentence(function: Any) -> str:
    lines = (function.__doc__ or "").strip().splitlines()
    return lines[0].rstrip(".") if lines else ""
