"""The reading operations of a resource: lists, one row, views below a row, collections below a row.

Everything that a caller sees of a resource passes through `show` and `page`: writes answer with them too, so that what
was written reads back byte for byte.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import FieldError, Invalid, NotFound
from freehold.query.cursor import Cursors
from freehold.query.links import page_links
from freehold.query.parse import parse
from freehold.query.request import ListQuery
from freehold.query.spec import ListSpec
from freehold.resource.declaration import View
from freehold.resource.document import is_document
from freehold.resource.principal import Principal
from freehold.resource.signatures import wants_principal
from freehold.resource.soft_delete import deleted_rows
from freehold.store.encode import Visibility
from freehold.store.executor import SessionExecutor
from freehold.store.plan_page import fetch_one, fetch_page
from freehold.store.plans import ResourcePlans
from freehold.store.protection import Grant
from freehold.store.session import Session
from freehold.web import faults
from freehold.web.bound import Bound
from freehold.web.guard import principal_of, require
from freehold.web.preconditions import entity_tag, not_modified
from freehold.web.rows import clause, load
from freehold.web.runtime import actor, runtime

Endpoint = Callable[[Request], Awaitable[Response]]
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Shown:
    """One row as a caller sees it."""

    body: bytes
    tag: str


class Reads:
    """Builds the reading endpoints of one resource."""

    def __init__(self, bound: Bound, plans: ResourcePlans, cursors: Cursors) -> None:
        self.bound = bound
        self.spec: ListSpec = plans.spec
        self._plans = plans
        self.cursors = cursors
        self.siblings: Mapping[Any, Reads] = {}
        self._deleted_grant = _deleted_grant(bound)

    def list(self, *, parent: tuple[Bound, str] | None = None) -> Endpoint:
        """GET of the collection. parent: the resource above, and the column that points to it."""

        async def endpoint(request: Request) -> Response:
            principal = await principal_of(request)
            require(self.bound.rule("read"), principal)
            above = parent[0].parse_key(request.path_params["id"]) if parent else None
            params = request.query_params.multi_items()
            query = parse(self.spec, params, hidden=self.unaskable(principal))
            if parent is not None:
                query = query.within(self.spec.fields[parent[1]], above)
            grant = self._deleted(principal) if query.deleted else None
            async with runtime(request).database.reading(principal, grant=grant) as session:
                if parent is not None:
                    await self.for_parent(parent[0]).require(session, above)
                return await self._page(request, session, query)

        return endpoint

    async def _page(self, request: Request, session: Session, query: ListQuery) -> Response:
        page = await fetch_page(
            self._plans,
            SessionExecutor(session),
            query,
            cursors=self.cursors,
            principal=session.principal,
            visibility_of=lambda model: self.siblings[model].visibility(session),
        )
        links = page_links(
            request.scope["root_path"] + request.scope["path"],
            request.query_params.multi_items(),
            next_cursor=page.next_cursor,
            prev_cursor=page.prev_cursor,
        )
        return Response(page.body, headers={"Link": links}, media_type=JSON)

    def one(self) -> Endpoint:
        """GET of one row: a strong ETag, 304 when the caller has it."""

        async def endpoint(request: Request) -> Response:
            principal = await principal_of(request)
            require(self.bound.rule("read"), principal)
            key = self.bound.parse_key(request.path_params["id"])
            expand = self._expansion(request, principal)
            async with runtime(request).database.reading(principal) as session:
                shown = await self.show(session, key, expand=expand)
            if shown is None:
                raise NotFound
            headers = {"ETag": shown.tag}
            if not_modified(request.headers, shown.tag):
                return Response(status_code=304, headers=headers)
            return Response(shown.body, headers=headers, media_type=JSON)

        return endpoint

    def view(self, view: View) -> Endpoint:
        """GET of a view below one row; the row is judged by the read rule, then by the view's own."""
        write = _writer(view.returns)
        media = view.returns.media_type if is_document(view.returns) else JSON
        rule = self.bound.rule("read") if view.access is None else view.access

        async def endpoint(request: Request) -> Response:
            principal = await principal_of(request)
            require(rule, principal)
            key = self.bound.parse_key(request.path_params["id"])
            params = self._view_params(request, view)
            async with runtime(request).database.reading(principal) as session:
                row = await load(session, self.bound, key, rule=view.access)
                wants = wants_principal(view.function)
                caller = principal if wants else await actor(request, session, principal)
                found = await view.function(session, caller, row, *([] if params is None else [params]))
                body = write(found)
            tag = entity_tag(0, body)
            if not_modified(request.headers, tag):
                return Response(status_code=304, headers={"ETag": tag})
            return Response(body, headers={"ETag": tag}, media_type=media)

        return endpoint

    async def show(self, session: Session, key: Any, *, expand: tuple[str, ...] = ()) -> Shown | None:
        """One row as the session's caller sees it; None when it may not."""
        found = await fetch_one(
            self._plans,
            SessionExecutor(session),
            key,
            expand=expand,
            visibility_of=lambda model: self.siblings[model].visibility(session),
        )
        return None if found is None else Shown(found[0], entity_tag(found[1], found[0]))

    async def require(self, session: Session, key: Any) -> None:
        """Raise NotFound unless the caller may read the row."""
        await load(session, self.bound, key)

    def for_parent(self, parent: Bound) -> Reads:
        """The reads of the resource above."""
        return self.siblings[parent.model]

    def refuse_parameters(self, request: Request) -> None:
        """Raise Invalid for any query parameter: the operation has none (V06)."""
        if request.query_params:
            raise Invalid(errors=[_unknown(name) for name in dict(request.query_params)])

    def _deleted(self, principal: Principal) -> Grant | None:
        """What lets a caller see deleted rows. Raises where the rule of their restoration holds for none of them."""
        if self._deleted_grant is not None:
            require(self._deleted_grant.rule, principal)
        return self._deleted_grant

    def unaskable(self, principal: Principal) -> frozenset[str]:
        """The fields that this caller may not read, or not in every row: nothing may be asked about them."""
        return self.bound.hidden(principal) | frozenset(self.bound.conditional(principal))

    def visibility(self, session: Session) -> Visibility:
        """Which fields of this resource the session's caller sees, in every row or in some."""
        principal = session.principal
        hidden, rules = self.bound.hidden(principal), self.bound.conditional(principal)
        flags = {name: clause(session, self.bound, rule) for name, rule in rules.items()}
        return Visibility(hidden, flags, session.scope.shape if hidden or flags else None)

    def _expansion(self, request: Request, principal: Principal) -> tuple[str, ...]:
        params = request.query_params.multi_items()
        unknown = [_unknown(name) for name, _ in params if name != "expand"]
        if unknown:
            raise Invalid(errors=unknown)
        return parse(self.spec, params, hidden=self.unaskable(principal)).expand

    def _view_params(self, request: Request, view: View) -> Any:
        if view.params is None:
            self.refuse_parameters(request)
            return None
        given: dict[str, str] = {}
        for name, value in request.query_params.multi_items():
            if name in given:
                raise Invalid(errors=[FieldError("query.repeated_parameter", "Give it once.", parameter=name)])
            given[name] = value
        names = {field.alias or name for name, field in view.params.model_fields.items()}
        unknown = [_unknown(name) for name in given if name not in names]
        if unknown:
            raise Invalid(errors=unknown)
        try:
            return view.params.model_validate_strings(given)
        except ValidationError as error:
            raise Invalid(errors=[_parameter_fault(fault) for fault in error.errors(include_url=False)]) from None


def _deleted_grant(bound: Bound) -> Grant | None:
    restored, mark = bound.resource.restored_by, bound.resource.soft_delete
    if restored is None or mark is None:
        return None
    return Grant(bound.table.name, "read", "deleted", deleted_rows(bound.model, mark, restored.access))


def _writer(returns: Any) -> Callable[[Any], bytes]:
    """From what a view returns to the bytes of its answer."""
    if is_document(returns):
        return lambda found: bytes(found.content())
    adapter: TypeAdapter[Any] = TypeAdapter(returns)
    return lambda found: adapter.dump_json(adapter.validate_python(found, from_attributes=True), by_alias=True)


def _unknown(name: str) -> FieldError:
    return FieldError("query.unknown_parameter", "There is no such parameter.", parameter=name[:100])


def _parameter_fault(fault: Any) -> FieldError:
    return FieldError(faults.code(fault), faults.sentence(fault), parameter=".".join(map(str, fault["loc"])) or "query")
