"""Several rows of one resource in one request: `POST` and `PATCH /v1/books/batch`, all of them or none.

POST  {"items": [{"title": "Emma"}, …]}
PATCH {"items": [{"id": "…", "if_match": "…", "changes": {"title": "Emma"}}, …]}
->    {"items": [as a GET shows them], "etags": […]}, in the order of the request
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, JsonValue, create_model
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import FieldError, Invalid, Problem
from freehold.resource.principal import Principal
from freehold.traffic.policy import Policy
from freehold.web import body as bodies
from freehold.web.admission import Endpoint, count_parts, places
from freehold.web.bound import Bound
from freehold.web.execution import request_key
from freehold.web.guard import principal_of, require
from freehold.web.reads import Reads
from freehold.web.runtime import runtime
from freehold.web.several import Part, Several, carry_out, placed
from freehold.web.steps import Call, Write

_CLOSED = ConfigDict(extra="forbid")
_NONE = Headers()
_Object = dict[str, JsonValue]


class _Change(BaseModel):
    """A change before its fields are looked at."""

    model_config = _CLOSED

    id: str
    changes: _Object
    if_match: str | None = None


class Bulk:
    """The bulk operations of one resource; its schemas are those of the document."""

    def __init__(self, reads: Reads, create: Write, update: Write) -> None:
        bound = reads.bound
        self._reads = reads
        self._create, self._update = create, update
        name, shown = bound.model.__name__, bound.read_schema
        self.creation = self._many(f"{name}Batch", bound.create_schema)
        change: Any = create_model(f"{name}BatchChange", __base__=_Change, changes=(bound.update_schema, ...))
        self.changes = self._many(f"{name}BatchChanges", change)
        etags = (list[str | None], Field(description="Of each, in the same order; null for one that may not be read"))
        self.answer = create_model(f"{name}BatchRead", items=(list[shown], ...), etags=etags)  # type: ignore[valid-type]

    def _many(self, name: str, item: Any) -> type[BaseModel]:
        most = Field(min_length=1, max_length=self._reads.bound.resource.batch_size)
        found: type[BaseModel] = create_model(name, __config__=_CLOSED, items=(Annotated[list[item], most], ...))
        return found

    def creating(self, policy: Policy) -> Endpoint:
        """POST: 201. policy: of the creation of one."""
        return self._endpoint(self._create, policy, self._many("Drafts", _Object), "", 201)

    def updating(self, policy: Policy) -> Endpoint:
        """PATCH: 200. policy: of the change of one."""
        return self._endpoint(self._update, policy, self._many("Changes", _Change), "/changes", 200)

    def _endpoint(self, write: Write, policy: Policy, envelope: type[BaseModel], below: str, status: int) -> Endpoint:
        resource = self._reads.bound.resource

        async def endpoint(request: Request) -> Response:
            raw = await request.body()
            request_key(request.scope)
            found = bodies.read_json(raw, request.headers.get("content-type"))
            principal = await principal_of(request)
            async with places(request):
                await count_parts(request, principal, [policy] * _number(found, resource.batch_size))
                require(write.rule, principal)
                self._reads.refuse_parameters(request)
                bodies.validate(envelope, raw)
                calls = [_call(request, principal, item, is_change=bool(below)) for item in found["items"]]
                parts = _prepared(write, calls, below)
                several = Several(parts, lambda told: _answer(told, status), self._subjects, resource.require_key)
                return await carry_out(request, principal, raw, several)

        return endpoint

    def _subjects(self, body: bytes) -> Iterable[tuple[Bound, Any]]:
        bound = self._reads.bound
        for item in orjson.loads(body)["items"]:
            yield bound, bound.parse_key(str(item.get(bound.key_name, item.get("id", ""))))


def _number(found: Any, most: int) -> int:
    """How many items are asked for, as far as that can be told before the body is looked at."""
    items = found.get("items") if isinstance(found, dict) else None
    return max(1, min(len(items), most)) if isinstance(items, list) else 1


def _call(request: Request, principal: Principal, item: dict[str, Any], *, is_change: bool) -> Call:
    if not is_change:
        return Call(principal, runtime(request), _NONE, "", orjson.dumps(item))
    match = _NONE if item.get("if_match") is None else Headers({"if-match": item["if_match"]})
    return Call(principal, runtime(request), match, item["id"], orjson.dumps(item["changes"]))


def _prepared(write: Write, calls: Sequence[Call], below: str) -> list[Part]:
    """The steps of all items. Raises Invalid with the faults of all of them, or NotFound for a key that is none."""
    parts: list[Part] = []
    faults: list[FieldError] = []
    for number, call in enumerate(calls):
        place, told = f"/items/{number}{below}", {"item": number}
        try:
            step = write.prepare(call)
        except Invalid as problem:
            faults += placed(problem, place, told).errors
        except Problem as problem:
            raise placed(problem, place, told) from None
        else:
            parts.append(Part(place, told, step))
    if faults:
        raise Invalid(errors=faults)
    return parts


def _answer(answers: Sequence[Response], status: int) -> Response:
    items = b",".join(bytes(each.body) for each in answers)
    etags = orjson.dumps([each.headers.get("etag") for each in answers])
    return Response(b'{"items":[%b],"etags":%b}' % (items, etags), status, media_type="application/json")
