"""The OpenAPI document: FastAPI's, with the operations of resources described from what was declared.

Every status, header and parameter that an operation really has stands in it, and no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from freehold.jobs import JobRead
from freehold.resource.access import Constant, Member, Owner
from freehold.resource.declaration import Action, View
from freehold.resource.document import is_document
from freehold.resource.principal import ANONYMOUS
from freehold.store.plan_facets import facets_schema
from freehold.web import openapi_own as own
from freehold.web.exporting import EXPORTED, export_parameters
from freehold.web.guard import is_closed
from freehold.web.history import history_page
from freehold.web.identity_parts import OwnUnitRoute
from freehold.web.imports import MEDIA_TYPES, SWITCHES
from freehold.web.openapi_parameters import key_parameter, list_parameters, page_parameters, view_parameters
from freehold.web.openapi_responses import headers, refusal, tell_quota
from freehold.web.openapi_tidy import tidied
from freehold.web.openapi_webhooks import webhooks_section
from freehold.web.paging import MAX_PAGE_SIZE, PAGE_SIZE
from freehold.web.unit import UnitRouteMixin, declared

if TYPE_CHECKING:
    from freehold.web.app import Freehold
    from freehold.web.mounting import Operation

REF = "#/components/schemas/{model}"
_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same request has one effect and one answer, for at least 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": '^[!#-~]+$|^"([^"\\\\]|\\\\.)*"$'},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that was read: 412 when the row has changed since.",
    "schema": {"type": "string"},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "ETags that the client holds: 304 when one is current.",
    "schema": {"type": "string"},
}


def document(app: Freehold, base: dict[str, Any], operations: Sequence[Operation]) -> dict[str, Any]:
    """Complete FastAPI's document `base`."""
    schemas = _Schemas(operations)
    components = base.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas.definitions)
    components["schemas"]["Problem"] = problem_schema()
    components.setdefault("securitySchemes", {})["bearer"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    for operation in operations:
        path = base["paths"].setdefault(operation.path, {})
        described = path[operation.method.lower()] = _Described(operation, schemas).build()
        if app.traffic.defaults.complete(operation.policy, writes=operation.method != "GET").quotas:
            tell_quota(described)
    base.setdefault("servers", [{"url": app.settings.public_url}])
    _describe_own(app, base, {(operation.path, operation.method.lower()) for operation in operations})
    if app.declared_webhooks is not None:
        section = webhooks_section(app.declared_webhooks, lambda read: schemas.of(read, "serialization"), operations)
        base.setdefault("webhooks", {}).update(section)
    return tidied(base)


def problem_schema() -> dict[str, Any]:
    """The schema of every refusal (RFC 9457)."""
    text = {"type": "string"}
    fault = {
        "type": "object",
        "properties": {"pointer": text, "parameter": text, "code": text, "message": text},
        "required": ["code", "message"],
    }
    return {
        "type": "object",
        "title": "Problem",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "instance": text,
            "code": text,
            "request_id": text,
            "errors": {"type": "array", "items": fault},
        },
        "required": ["type", "title", "status", "code", "instance", "request_id"],
    }


def _describe_own(app: Freehold, base: dict[str, Any], known: set[tuple[str, str]]) -> None:
    """Operations of one's own: who may call them, their retries, and refusals as they are really sent."""
    for context in iter_route_contexts(app.routes):
        route, path = context.original_route, context.path or ""
        for method in {each.lower() for each in getattr(route, "methods", None) or ()}:
            operation = base["paths"].get(path, {}).get(method)
            if operation is None or (path, method) in known:
                continue
            mark = declared(context) if isinstance(route, APIRoute) else None
            own.describe(operation, method, path, None if mark is None else mark.rule)
            policy = None if mark is None else mark.policy("")
            if app.traffic.defaults.complete(policy, writes=method != "get").quotas:
                tell_quota(operation)
            if isinstance(route, UnitRouteMixin | OwnUnitRoute) and method in ("post", "patch", "put"):
                own.describe_retry(operation, _KEY_HEADER)


class _Schemas:
    """JSON Schemas of every model that an operation shows, under names that do not collide."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        inputs: list[tuple[Any, JsonSchemaMode, TypeAdapter[Any]]] = []
        self._keys: dict[tuple[Any, str], dict[str, Any]] = {}
        for kind, mode in dict.fromkeys(_wanted(operations)):
            inputs.append((kind, mode, TypeAdapter(kind)))
        found, shared = TypeAdapter.json_schemas(inputs, ref_template=REF)
        self._found = found
        self.definitions: dict[str, Any] = shared.get("$defs", {})

    def of(self, kind: Any, mode: JsonSchemaMode) -> dict[str, Any]:
        return dict(self._found[(kind, mode)])


def _wanted(operations: Iterable[Operation]) -> Iterable[tuple[Any, JsonSchemaMode]]:
    for operation in operations:
        yield operation.bound.read_schema, "serialization"
        if operation.body is not None:
            yield operation.body, "validation"
        if operation.returns is not None:
            yield operation.returns, "serialization"
        if isinstance(operation.detail, Action) and operation.detail.returns is not None:
            yield operation.detail.returns, "serialization"
        if isinstance(operation.detail, Action) and operation.status == 202:
            yield JobRead, "serialization"
        if isinstance(operation.detail, View):
            if not is_document(operation.detail.returns):
                yield operation.detail.returns, "serialization"
            if operation.detail.params is not None:
                yield operation.detail.params, "validation"


class _Described:
    """The description of one operation."""

    def __init__(self, operation: Operation, schemas: _Schemas) -> None:
        self._operation = operation
        self._schemas = schemas
        self._bound = operation.bound
        self._has_key = "{id}" in operation.path

    def build(self) -> dict[str, Any]:
        operation = self._operation
        described: dict[str, Any] = {
            "operationId": operation.id,
            "summary": operation.summary,
            "description": f"Access: `{operation.rule.describe()}`",
            "tags": [self._bound.resource.tag],
            "parameters": self._parameters(),
            "responses": {**self._success(), **self._refusals()},
            "security": self._security(),
        }
        if operation.kind == "import":
            content = {media: {"schema": {"type": "string"}} for media in MEDIA_TYPES}
            described["requestBody"] = {"required": True, "content": content}
        if operation.body is not None:
            described["requestBody"] = {"required": True, "content": self._body()}
        return described

    def _security(self) -> list[dict[str, list[str]]]:
        rule = self._operation.rule
        if isinstance(rule, Constant):
            return []
        open_too = not is_closed(rule.simplify(ANONYMOUS))
        return [{"bearer": []}, *([{}] if open_too else [])]

    def _parameters(self) -> list[dict[str, Any]]:
        operation = self._operation
        found = [key_parameter(self._bound)] if self._has_key else []
        if operation.kind == "list":
            found += list_parameters(operation.spec)
        elif operation.kind == "export":
            found += export_parameters(operation.spec)
        elif operation.kind == "import":
            found += [_switch(name, said) for name, said in SWITCHES.items()]
        elif operation.kind == "history":
            found += page_parameters(PAGE_SIZE, MAX_PAGE_SIZE)
        elif operation.kind == "one":
            found += [p for p in list_parameters(operation.spec) if p["name"] == "expand"]
        elif isinstance(operation.detail, View) and operation.detail.params is not None:
            found += view_parameters(self._schemas.of(operation.detail.params, "validation"), self._schemas.definitions)
        if operation.kind in ("one", "view", "overview") or operation.cache is not None:
            found.append(_IF_NONE_MATCH)
        if operation.kind in ("update", "delete", "action", "restoration"):
            required = self._bound.resource.require_if_match and operation.kind not in ("action", "restoration")
            found.append({**_IF_MATCH, "required": required})
        if operation.method in ("POST", "PATCH", "PUT"):
            found.append({**_KEY_HEADER, "required": self._bound.resource.require_key})
        return found

    def _body(self) -> dict[str, Any]:
        assert self._operation.body is not None
        schema = {"schema": self._schemas.of(self._operation.body, "validation")}
        if self._operation.kind == "update":
            return {"application/merge-patch+json": schema, "application/json": schema}
        return {"application/json": schema}

    def _success(self) -> dict[str, Any]:
        operation = self._operation
        if operation.status == 204:
            replayed = {} if operation.method == "DELETE" else {"headers": headers("Idempotent-Replayed")}
            return {"204": {"description": "Done", **replayed}}
        if operation.kind in ("list", "history", "export", "bulk_create", "bulk_update", "import"):
            return self._of_several()
        if isinstance(operation.detail, View):
            return {"200": self._of_view(operation.detail), "304": _unchanged()}
        shown = self._schemas.of(operation.returns or self._bound.read_schema, "serialization")
        if operation.kind == "one":
            return {"200": self._content(shown, "The resource", "ETag"), "304": _unchanged()}
        if isinstance(operation.detail, Action) and (operation.detail.returns is not None or operation.status == 202):
            return {str(operation.status): self._of_action(operation.detail)}
        names = (
            ("ETag", "Location", "Idempotent-Replayed") if operation.status == 201 else ("ETag", "Idempotent-Replayed")
        )
        return {str(operation.status): self._content(shown, "The resource as it is now", *names)}

    def _of_several(self) -> dict[str, Any]:
        operation = self._operation
        if operation.kind == "export":
            return {"200": {"description": "Every row, in the order asked for", "content": dict(EXPORTED)}}
        if operation.returns is not None:
            shown = self._schemas.of(operation.returns, "serialization")
            said, told = "The rows as they are now, in the order sent", ["Idempotent-Replayed"]
            if operation.kind == "import":
                said, told = "Follow the job at Location", ["Location", *told]
            return {str(operation.status): self._content(shown, said, *told)}
        page = self._page() if self._operation.kind == "list" else history_page()
        if self._operation.cache is None:
            return {"200": self._content(page, "A page", "Link")}
        return {"200": self._content(page, "A page", "Link", "ETag"), "304": _unchanged()}

    def _of_view(self, view: View) -> dict[str, Any]:
        if is_document(view.returns):
            content = {view.returns.media_type: {"schema": {"type": "string"}}}
            return {**self._content({}, self._operation.summary, "ETag"), "content": content}
        return self._content(self._schemas.of(view.returns, "serialization"), self._operation.summary, "ETag")

    def _of_action(self, action: Action) -> dict[str, Any]:
        """Of one that answers something else than the resource: a part of it, or the job that it has begun."""
        if action.status == 202:
            shown = self._schemas.of(JobRead, "serialization")
            return self._content(shown, "Follow the job at Location", "Location", "Idempotent-Replayed")
        shown = self._schemas.of(action.returns, "serialization")
        return self._content(shown, self._operation.summary, "ETag", "Idempotent-Replayed")

    def _content(self, schema: dict[str, Any], description: str, *names: str) -> dict[str, Any]:
        return {
            "description": description,
            "headers": headers(*names),
            "content": {"application/json": {"schema": schema}},
        }

    def _page(self) -> dict[str, Any]:
        item = self._schemas.of(self._bound.read_schema, "serialization")
        properties: dict[str, Any] = {
            "items": {"type": "array", "items": item, "maxItems": self._operation.spec.max_page_size},
            "next_cursor": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "total": {"type": "integer", "minimum": 0, "description": "With ?count=true"},
        }
        if self._operation.spec.facets:
            properties["facets"] = facets_schema(self._operation.spec.facets)
        return {"type": "object", "properties": properties, "required": ["items", "next_cursor"]}

    def _refusals(self) -> dict[str, Any]:
        patch = self._operation.kind == "update"
        return {str(status): refusal(status, patch=patch) for status in sorted(set(self._refusal_kinds()))}

    def _refusal_kinds(self) -> Iterable[int]:
        operation, writes = self._operation, self._operation.method != "GET"
        yield from (400, 401, 414, 421, 422, 431, 500, 503)  # 414, 421 and 431: the edge, on any request
        rule_asks = not isinstance(operation.rule, Constant)
        if rule_asks:
            yield 403
        if self._has_key or any(isinstance(atom, Owner | Member) for atom in operation.rule.atoms()):
            yield 404
        if writes:
            yield from (403, 404, 409, 413, 507)
            if operation.method in ("POST", "PATCH", "PUT"):
                yield 415
            if operation.kind in ("update", "delete", "action", "restoration", "bulk_update"):
                yield 412
            if self._bound.resource.require_if_match and operation.kind in ("update", "delete", "bulk_update"):
                yield 428
        yield 429
        if not writes:
            return  # what a resource declares are the refusals of its changes
        detail = operation.detail
        declared = detail.problems if isinstance(detail, Action) else self._bound.resource.problems
        for kind in declared:
            yield int(getattr(kind, "status", 500))


def _switch(name: str, said: str) -> dict[str, Any]:
    schema = {"type": "boolean", "default": False}
    return {"name": name, "in": "query", "required": False, "description": said, "schema": schema}


def _unchanged() -> dict[str, Any]:
    return {"description": "Not modified", "headers": headers("ETag")}
