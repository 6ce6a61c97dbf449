"""The writing operations of a resource: create, update, delete, and its actions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from pydantic import BaseModel, TypeAdapter
from starlette.responses import Response

from freehold.errors import Conflict, FieldError, Invalid
from freehold.resource.clock import now
from freehold.resource.declaration import Action
from freehold.resource.soft_delete import Restoration
from freehold.store.executor import Plan
from freehold.store.fetched import Fetched
from freehold.store.session import Session
from freehold.store.straight import Straight
from freehold.store.unit import Unit
from freehold.store.ways import NotAtOnce
from freehold.web import body as bodies
from freehold.web.answer import JSON, Ready
from freehold.web.bound import Bound
from freehold.web.changes import change_row, create_row
from freehold.web.changing import Changing
from freehold.web.creating import Creating, Whole
from freehold.web.jobs import accepted
from freehold.web.preconditions import check_match, entity_tag
from freehold.web.reads import Reads, Shown
from freehold.web.rows import load_for_change
from freehold.web.steps import Call, Step, Write, WriteQuestion
from freehold.web.trail import leave_trail


class Writes:
    """Builds the writing operations of one resource. path: of the collection, as mounted.

    without: a field that is set from the path instead of the body.
    """

    def __init__(self, bound: Bound, reads: Reads, path: str, *, without: str | None = None) -> None:
        self._bound = bound
        self._reads = reads
        self._path = path
        self._creating = Creating(bound)
        self._changing = Changing(bound)
        self.create_schema = bound.create_schema if without is None else bound.create_without(without)

    def create(self, *, parent: tuple[Bound, str] | None = None) -> Write:
        """POST. parent: the resource above and the column that is set from its key in the path."""
        bound = self._bound

        def prepare(call: Call) -> Step:
            draft = self._draft(call, self.create_schema)
            above = parent[0].parse_key(call.key) if parent else None
            if parent is not None:
                draft = bound.with_parent(draft, parent[1], above)
            made: list[Any] = []

            async def work(db: Session) -> Response:
                if parent is not None:
                    await self._reads.for_parent(parent[0]).require(db, above)
                row = await create_row(db, call.parts, bound, draft)
                await db.flush()
                key = getattr(row, bound.key_name)
                made[:] = [key]
                await leave_trail(db, bound, "created", row)
                return self._with_once(row, await self._shown(db, key, status=201, location=f"{self._path}/{key}"))

            async def straight(unit: Unit) -> Response:
                assert values is not None
                made[:] = [values[bound.key_name]]
                return await self._creating.insert(unit, values, shown, self._whole(made[0], created=True))

            async def shown(reading: Straight, key: Any) -> Response:
                return await self._shown(reading, key, status=201, location=f"{self._path}/{key}")

            def at_once(*, apart: bool) -> Awaitable[Response]:
                assert values is not None
                whole = self._whole(values[bound.key_name], created=True)
                if whole is None:
                    raise NotAtOnce
                return self._creating.insert_alone(call, values, whole, apart=apart)

            def question() -> WriteQuestion | None:
                assert values is not None
                whole = self._whole(values[bound.key_name], created=True)
                found = None if whole is None else self._creating.question(call, values, whole)
                return None if whole is None or found is None else (*found, whole.tell)

            values = self._creating.values(call, draft) if parent is None else None
            return Step(
                work,
                lambda: made[0] if made else None,
                ahead=self._ahead(call, draft),
                straight=None if values is None else straight,
                at_once=None if values is None else at_once,
                question=None if values is None else question,
            )

        return Write(self._reads, bound.rule("create"), prepare)

    def update(self) -> Write:
        """PATCH by JSON merge patch (RFC 7396)."""
        bound, rule = self._bound, self._bound.rule("update")

        def prepare(call: Call) -> Step:
            changes = self._draft(call, bound.update_schema)
            key = bound.parse_key(call.key)
            fields = bound.row_rules_for(changes.model_fields_set, call.principal)

            async def work(db: Session) -> Response:
                row = await load_for_change(db, bound, key, rule, fields=fields)
                await self._check_version(call, db, row, key)
                await change_row(db, call.parts, bound, row, changes)
                await leave_trail(db, bound, "updated", row)
                return await self._shown(db, key)

            async def straight(unit: Unit) -> Response:
                return await self._changing.change(
                    call, unit, key, changes, show=lambda reading: self._shown(reading, key), whole=self._whole(key)
                )

            def at_once(*, apart: bool) -> Awaitable[Response]:
                whole = self._whole(key)
                if whole is None:
                    raise NotAtOnce
                return self._changing.change_alone(call, key, changes, whole)

            can = self._changing.can(call, changes)
            return Step(
                work,
                lambda: key,
                ahead=self._ahead(call, changes),
                straight=straight if can else None,
                at_once=at_once if can else None,
            )

        return Write(self._reads, rule, prepare, bodies.MERGE_PATCH_TYPES)

    def delete(self) -> Write:
        """DELETE: 204, then 404."""
        bound, rule = self._bound, self._bound.rule("delete")
        custom = bound.resource.delete

        def prepare(call: Call) -> Step:
            key = bound.parse_key(call.key)

            async def work(db: Session) -> Response:
                row = await load_for_change(db, bound, key, rule)
                await self._check_version(call, db, row, key)
                if custom is not None:
                    await custom(db, await call.parts.actor_for(custom, db), row)
                await self._remove(db, row)
                await db.flush()
                await leave_trail(db, bound, "deleted", row)
                return Response(status_code=204)

            return Step(work, lambda: key, self._reads.grants.delete)

        return Write(self._reads, rule, prepare, ())

    async def _remove(self, db: Session, row: Any) -> None:
        """Mark the row deleted, or delete it where no function of the resource has done so."""
        mark = self._bound.resource.soft_delete
        if mark is None:
            if self._bound.resource.delete is None:
                await db.delete(row)
        elif getattr(row, mark) is None:
            setattr(row, mark, now())

    def restoration(self, restored: Restoration) -> Write:
        """POST: a deleted row comes back, under the rule of its restoration alone."""
        bound, mark = self._bound, self._bound.resource.soft_delete
        assert mark is not None
        rule, grant = restored.access, self._reads.grants.restoration

        def prepare(call: Call) -> Step:
            _refuse_body(call)
            key = bound.parse_key(call.key)

            async def work(db: Session) -> Response:
                row = await load_for_change(db, bound, key, rule)
                await self._check_version(call, db, row, key, required=False)
                if getattr(row, mark) is None:
                    raise Conflict("It is not deleted.", code="not_deleted")
                if restored.function is not None:
                    await restored.function(db, await call.parts.actor_for(restored.function, db), row)
                setattr(row, mark, None)
                await db.flush()
                await leave_trail(db, bound, "restored", row)
                return await self._shown(db, key)

            return Step(work, lambda: key, grant)

        return Write(self._reads, rule, prepare, ())

    def action(self, action: Action) -> Write:
        """A state change as a noun sub-resource."""
        bound = self._bound
        grant = self._reads.grants.actions[action.name]
        part: TypeAdapter[Any] | None = None if action.returns is None else TypeAdapter(action.returns)

        def prepare(call: Call) -> Step:
            if action.body is None:
                _refuse_body(call)
            body = () if action.body is None else (self._draft(call, action.body),)
            key = bound.parse_key(call.key)

            async def work(db: Session) -> Response:
                row = await load_for_change(db, bound, key, action.access)
                await self._check_version(call, db, row, key, required=False)
                caller = await call.parts.actor_for(action.function, db)
                found = await action.function(db, caller, row, *body)
                await db.flush()
                await leave_trail(db, bound, action.name, row)
                if action.status == 202:
                    return await accepted(db, found, path=f"{self._path.rpartition('/')[0]}/jobs")
                if part is not None:
                    return _part(part, found, action.status, version=bound.version_of(row))
                return Response(status_code=204) if action.status == 204 else await self._shown(db, key)

            return Step(work, lambda: key, grant)

        return Write(self._reads, action.access, prepare, () if action.body is None else bodies.JSON_TYPES)

    def _whole(self, key: Any, *, created: bool = False) -> Whole | None:
        """How a plain write answers by what its statement gives back; None where that is not all that is to be told."""
        if not self._reads.is_written_at_once:
            return None
        return _Told(self._reads, key, self._path if created else None)

    def _draft(self, call: Call, schema: type[BaseModel]) -> Any:
        draft = bodies.validate(schema, call.body)
        self._bound.refuse_fields(draft.model_fields_set, call.principal)
        return draft

    def _ahead(self, call: Call, sent: BaseModel) -> Callable[[], Awaitable[None]] | None:
        """What the resource does with what was sent before the unit begins."""
        looks = self._bound.resource.prepare
        return None if looks is None else lambda: looks(call.parts.database, call.principal, sent)

    async def _check_version(
        self, call: Call, db: Session, row: Any, key: Any, *, required: bool | None = None
    ) -> None:
        bound = self._bound
        required = bound.resource.require_if_match if required is None else required
        if bound.version_name is not None:
            check_match(call.headers, version=getattr(row, bound.version_name), required=required)
            return
        shown = await self._reads.show(db, key)
        check_match(call.headers, version=None, tag=shown.tag if shown else None, required=required)

    async def _shown(
        self, db: Session | Straight, key: Any, *, status: int = 200, location: str | None = None
    ) -> Response:
        return _answer(await self._reads.show(db, key), key, status=status, location=location)

    def _with_once(self, row: Any, shown: Response) -> Response:
        """What the answer to a creation alone shows of the row, beside what every read does."""
        created = self._bound.resource.schemas.created
        if created is None:
            return shown
        names = created.model_fields.keys() - self._bound.read_schema.model_fields.keys()
        body = orjson.dumps({**orjson.loads(shown.body), **{name: getattr(row, name) for name in sorted(names)}})
        headers = {name: shown.headers[name] for name in ("Location", "ETag") if name in shown.headers}
        return Response(body, shown.status_code, headers=headers, media_type="application/json")


class _Told:
    """How one row that was written at once is answered. path: of the collection in which it is new."""

    __slots__ = ("_path", "_reads", "key", "plan")

    def __init__(self, reads: Reads, key: Any, path: str | None) -> None:
        self._reads, self._path = reads, path
        self.key = str(key)
        self.plan: Plan = reads.shown_plan

    def can_tell(self, row: Mapping[str, Any]) -> bool:
        """See `Whole`."""
        return self._reads.can_write(row)

    def tell(self, rows: Fetched) -> Response:
        """See `Whole`."""
        shown = self._reads.written(rows)
        if self._path is None:
            return _answer(shown, self.key)
        return _answer(shown, self.key, status=201, location=f"{self._path}/{self.key}")


def _answer(shown: Shown | None, key: Any, *, status: int = 200, location: str | None = None) -> Response:
    # A caller who may do this and not see the result learns the id, and nothing else.
    body = orjson.dumps({"id": str(key)}) if shown is None else shown.body
    headers = [] if location is None else [(b"location", location.encode("latin-1"))]
    if shown is not None:
        headers.append((b"etag", shown.tag.encode("latin-1")))
    return Ready(status, [*headers, (b"content-length", b"%d" % len(body)), JSON], body)


def _refuse_body(call: Call) -> None:
    if call.body and orjson.loads(call.body) not in ({}, None):
        raise Invalid(errors=[FieldError("unexpected_body", "This operation takes no body", pointer="")])


def _part(adapter: TypeAdapter[Any], found: Any, status: int, *, version: int) -> Response:
    """What a view of the same part answers, byte for byte, under the same tag."""
    body = adapter.dump_json(adapter.validate_python(found, from_attributes=True), by_alias=True)
    return Response(body, status, headers={"ETag": entity_tag(version, body)}, media_type="application/json")
