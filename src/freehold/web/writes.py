"""The writing operations of a resource: create, update, delete, and its actions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from pydantic import MISSING, BaseModel, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import Conflict, FieldError, Invalid
from freehold.resource.access import Rule
from freehold.resource.clock import now
from freehold.resource.declaration import Action
from freehold.resource.merge import changed_values, recheck
from freehold.resource.principal import Principal
from freehold.resource.signatures import wants_principal
from freehold.resource.soft_delete import Restoration, deleted_rows
from freehold.store.protection import Grant
from freehold.store.unit import Unit
from freehold.web import body as bodies
from freehold.web.bound import Bound
from freehold.web.execution import Writing, execute, request_key
from freehold.web.guard import principal_of, require
from freehold.web.jobs import accepted
from freehold.web.preconditions import check_match, entity_tag
from freehold.web.reads import Reads
from freehold.web.rows import check_links, load_for_change, still_allowed
from freehold.web.runtime import actor
from freehold.web.trail import leave_trail

Endpoint = Callable[[Request], Awaitable[Response]]


class Writes:
    """Builds the endpoints of one resource. path: of the collection, as mounted.

    without: a field that is set from the path instead of the body.
    """

    def __init__(self, bound: Bound, reads: Reads, path: str, *, without: str | None = None) -> None:
        self._bound = bound
        self._reads = reads
        self._path = path
        self.create_schema = bound.create_schema if without is None else bound.create_without(without)

    def create(self, *, parent: tuple[Bound, str] | None = None) -> Endpoint:
        """POST. parent: the resource above and the column that is set from its key in the path."""
        bound, rule = self._bound, self._bound.rule("create")
        custom = bound.resource.create

        async def endpoint(request: Request) -> Response:
            draft, raw, principal = await self._read_body(request, self.create_schema, rule)
            above = parent[0].parse_key(request.path_params["id"]) if parent else None
            if parent is not None:
                draft = bound.with_parent(draft, parent[1], above)
            made: list[Any] = []

            async def work(unit: Unit) -> Response:
                db = unit.session
                if parent is not None:
                    await self._reads.for_parent(parent[0]).require(db, above)
                await check_links(db, bound, draft)
                if custom is not None:
                    row = await custom(db, await self._actor(request, unit, custom), draft)
                else:
                    row = bound.model(**_values(draft))
                if bound.owner is not None and getattr(row, bound.owner) is None:
                    setattr(row, bound.owner, principal.id)
                db.add(row)
                await db.flush()
                key = getattr(row, bound.key_name)
                made[:] = [key]
                await leave_trail(unit, bound, "created", row)
                return await self._shown(unit, key, status=201, location=f"{self._path}/{key}")

            return await execute(request, principal, raw, self._writing(work, lambda: made[0] if made else None))

        return endpoint

    def update(self) -> Endpoint:
        """PATCH by JSON merge patch (RFC 7396)."""
        bound, rule = self._bound, self._bound.rule("update")
        custom = bound.resource.update

        async def endpoint(request: Request) -> Response:
            changes, raw, principal = await self._read_body(
                request, bound.update_schema, rule, accepted=bodies.MERGE_PATCH_TYPES
            )
            key = bound.parse_key(request.path_params["id"])
            fields = bound.row_rules_for(changes.model_fields_set, principal)

            async def work(unit: Unit) -> Response:
                row = await load_for_change(unit.session, bound, key, rule, fields=fields)
                await self._check_version(request, unit, row, key)
                await check_links(unit.session, bound, changes)
                if custom is not None:
                    await custom(unit.session, await self._actor(request, unit, custom), row, changes)
                else:
                    _apply(bound, row, changes)
                await unit.session.flush()
                await leave_trail(unit, bound, "updated", row)
                return await self._shown(unit, key)

            return await execute(request, principal, raw, self._writing(work, lambda: key))

        return endpoint

    def delete(self) -> Endpoint:
        """DELETE: 204, then 404."""
        bound, rule = self._bound, self._bound.rule("delete")
        custom = bound.resource.delete

        async def endpoint(request: Request) -> Response:
            self._reads.refuse_parameters(request)
            principal = await principal_of(request)
            require(rule, principal)
            key = bound.parse_key(request.path_params["id"])

            async def work(unit: Unit) -> Response:
                row = await load_for_change(unit.session, bound, key, rule)
                await self._check_version(request, unit, row, key)
                if custom is not None:
                    await custom(unit.session, await self._actor(request, unit, custom), row)
                await self._remove(unit, row)
                await unit.session.flush()
                await leave_trail(unit, bound, "deleted", row)
                return Response(status_code=204)

            # Where deletion is soft, the row changes under the delete rule.
            grant = Grant(bound.table.name, "update", "delete", rule)
            return await execute(request, principal, b"", self._writing(work, lambda: key, grant=grant))

        return endpoint

    async def _remove(self, unit: Unit, row: Any) -> None:
        """Mark the row deleted, or delete it where no function of the resource has done so."""
        mark = self._bound.resource.soft_delete
        if mark is None:
            if self._bound.resource.delete is None:
                await unit.session.delete(row)
        elif getattr(row, mark) is None:
            setattr(row, mark, now())

    def restoration(self, restored: Restoration) -> Endpoint:
        """POST: a deleted row comes back, under the rule of its restoration alone."""
        bound, mark = self._bound, self._bound.resource.soft_delete
        assert mark is not None
        rule, reads = restored.access, bound.rule("read") | deleted_rows(bound.model, mark, restored.access)
        grant = Grant(bound.table.name, "update", "restoration", rule, reads)
        action = Action("restoration", restored.function or self._remove, rule)

        async def endpoint(request: Request) -> Response:
            _, raw, principal = await self._read_action(request, action)
            key = bound.parse_key(request.path_params["id"])

            async def work(unit: Unit) -> Response:
                row = await load_for_change(unit.session, bound, key, rule)
                await self._check_version(request, unit, row, key, required=False)
                if getattr(row, mark) is None:
                    raise Conflict("It is not deleted.", code="not_deleted")
                if restored.function is not None:
                    await restored.function(unit.session, await self._actor(request, unit, restored.function), row)
                setattr(row, mark, None)
                await unit.session.flush()
                await leave_trail(unit, bound, "restored", row)
                return await self._shown(unit, key)

            return await execute(request, principal, raw, self._writing(work, lambda: key, grant=grant))

        return endpoint

    def action(self, action: Action) -> Endpoint:
        """A state change as a noun sub-resource."""
        bound = self._bound
        grant = Grant(bound.table.name, "update", action.name, action.access)
        part: TypeAdapter[Any] | None = None if action.returns is None else TypeAdapter(action.returns)

        async def endpoint(request: Request) -> Response:
            body, raw, principal = await self._read_action(request, action)
            key = bound.parse_key(request.path_params["id"])

            async def work(unit: Unit) -> Response:
                row = await load_for_change(unit.session, bound, key, action.access)
                await self._check_version(request, unit, row, key, required=False)
                caller = await self._actor(request, unit, action.function)
                arguments = (row,) if body is None else (row, body)
                found = await action.function(unit.session, caller, *arguments)
                await unit.session.flush()
                await leave_trail(unit, bound, action.name, row)
                if action.status == 202:
                    return await accepted(unit.session, found, path=f"{self._path.rpartition('/')[0]}/jobs")
                if part is not None:
                    return _part(part, found, action.status)
                return Response(status_code=204) if action.status == 204 else await self._shown(unit, key)

            return await execute(request, principal, raw, self._writing(work, lambda: key, grant=grant))

        return endpoint

    def _writing(self, work: Any, subject: Callable[[], Any], *, grant: Grant | None = None) -> Writing:
        async def rejudge(unit: Unit, key: Any) -> None:
            await still_allowed(unit, self._bound, key)

        return Writing(
            work, grant=grant, require_key=self._bound.resource.require_key, rejudge=rejudge, subject=subject
        )

    async def _read_body(
        self, request: Request, schema: type[BaseModel], rule: Rule, *, accepted: tuple[str, ...] = bodies.JSON_TYPES
    ) -> tuple[Any, bytes, Principal]:
        """Parse, then who, then valid: 400 and 415 come before 401 and 403, and these before 422."""
        raw = await request.body()
        request_key(request)
        bodies.read_json(raw, request.headers.get("content-type"), accepted=accepted)
        principal = await principal_of(request)
        require(rule, principal)
        self._reads.refuse_parameters(request)
        draft = bodies.validate(schema, raw)
        self._bound.refuse_fields(draft.model_fields_set, principal)
        return draft, raw, principal

    async def _read_action(self, request: Request, action: Action) -> tuple[Any, bytes, Principal]:
        if action.body is not None:
            return await self._read_body(request, action.body, action.access)
        raw = await request.body()
        request_key(request)
        if raw:
            bodies.read_json(raw, request.headers.get("content-type"))
        principal = await principal_of(request)
        require(action.access, principal)
        self._reads.refuse_parameters(request)
        if raw and orjson.loads(raw) not in ({}, None):
            raise Invalid(errors=[FieldError("unexpected_body", "This operation takes no body", pointer="")])
        return None, raw, principal

    async def _actor(self, request: Request, unit: Unit, function: Callable[..., Any]) -> Any:
        if wants_principal(function):
            return unit.principal
        return await actor(request, unit.session, unit.principal)

    async def _check_version(
        self, request: Request, unit: Unit, row: Any, key: Any, *, required: bool | None = None
    ) -> None:
        bound = self._bound
        required = bound.resource.require_if_match if required is None else required
        if bound.version_name is not None:
            check_match(request.headers, version=getattr(row, bound.version_name), required=required)
            return
        shown = await self._reads.show(unit.session, key)
        check_match(request.headers, version=None, tag=shown.tag if shown else None, required=required)

    async def _shown(self, unit: Unit, key: Any, *, status: int = 200, location: str | None = None) -> Response:
        shown = await self._reads.show(unit.session, key)
        headers = {"Location": location} if location else {}
        if shown is None:
            # The caller may do this and not see the result: it learns the id, and nothing else.
            return Response(orjson.dumps({"id": str(key)}), status, headers=headers, media_type="application/json")
        headers["ETag"] = shown.tag
        return Response(shown.body, status, headers=headers, media_type="application/json")


def _part(adapter: TypeAdapter[Any], found: Any, status: int) -> Response:
    """What a view of the same part answers, byte for byte, under the same tag."""
    body = adapter.dump_json(adapter.validate_python(found, from_attributes=True), by_alias=True)
    return Response(body, status, headers={"ETag": entity_tag(0, body)}, media_type="application/json")


def _values(draft: BaseModel) -> dict[str, Any]:
    """What was sent, and the schema's own defaults; an absent field without one is the database's matter."""
    defaults = {name: value for name, value in draft if name not in draft.model_fields_set and value is not MISSING}
    return {**defaults, **changed_values(object(), draft)}


def _apply(bound: Bound, row: Any, changes: BaseModel) -> None:
    values = changed_values(row, changes)
    recheck(bound.create_schema, row, values)
    for name, value in values.items():
        setattr(row, name, value)
