"""`POST /v1/batch`: several operations on several resources in one commit, in order, all of them or none.

    {"steps": [
        {"id": "a", "method": "POST", "path": "/v1/authors", "body": {"name": "Jane Austen"}},
        {"method": "POST", "path": "/v1/books", "body": {"title": "Emma", "author_id": {"$ref": "a#/id"}}},
        {"method": "POST", "path": "/v1/authors/{a#/id}/confirmation", "if_match": "…"}
    ]}

A reference names an earlier step and a place in its answer (RFC 6901). Not requests inside a request: each step is the
same function as behind the route, in the one unit, under its own rule, precondition and grant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.datastructures import Headers
from starlette.responses import Response

from freehold.errors import FieldError, Invalid, Problem
from freehold.resource.access import anyone
from freehold.resource.principal import Principal
from freehold.web import body as bodies
from freehold.web.admission import count_parts, places
from freehold.web.batch_references import Answers, fill, fill_path, refers
from freehold.web.bound import Bound
from freehold.web.execution import request_key
from freehold.web.guard import principal_of, require
from freehold.web.mounting import Mounted, Operation
from freehold.web.runtime import runtime
from freehold.web.several import Part, Several, carry_out, placed
from freehold.web.steps import Call, Step
from freehold.web.unit import allow

MAX_STEPS: Final = 50
_CLOSED = ConfigDict(extra="forbid")
_OF_STEPS: Final[dict[int | str, dict[str, Any]]] = {
    412: {"description": "A row has changed since"}, 428: {"description": "A step needs if_match"},
}  # fmt: skip
_NOTHING: Final[Any] = object()
"""A step without a body, which is not one whose body is null."""


class BatchStep(BaseModel):
    """One operation. id: by which later steps refer to its answer. path: as of a request of its own, without a query."""

    model_config = _CLOSED

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")] | None = None
    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: Annotated[str, StringConstraints(max_length=500)]
    body: Any = Field(default=None, description='`{"$ref": "a#/id"}` stands for that place in the answer of step a')
    if_match: str | None = None


class Batch(BaseModel):
    """Steps in their order."""

    model_config = _CLOSED

    steps: Annotated[list[BatchStep], Field(min_length=1, max_length=MAX_STEPS)]


class StepAnswer(BaseModel):
    """What a request of its own would have been answered."""

    id: str | None
    status: int
    location: str | None
    etag: str | None
    body: Any


class BatchAnswer(BaseModel):
    """The answers of all steps, in their order."""

    steps: list[StepAnswer]


def batch_router(mounted: Mounted, *, prefix: str = "/v1") -> APIRouter:
    """The one operation, over the writing operations of all resources."""
    router = APIRouter(tags=["batch"], redirect_slashes=False)
    table = _Table(mounted.operations)
    shown = Batch.model_json_schema()
    definitions = shown.pop("$defs")
    shown["properties"]["steps"]["items"] = definitions["BatchStep"]

    @router.post(
        f"{prefix}/batch", operation_id="batch", summary="Several operations in one commit, all or none",
        response_model=BatchAnswer, dependencies=[allow(anyone)], responses=_OF_STEPS,
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": shown}}}},
    )  # fmt: skip
    async def batch(request: Request) -> Response:
        raw = await request.body()
        request_key(request.scope)
        parsed = bodies.read_json(raw, request.headers.get("content-type"))
        principal = await principal_of(request)
        if request.query_params:
            unknown = FieldError("query.unknown_parameter", "There is no such parameter.", parameter="query")
            raise Invalid(errors=[unknown])
        given = bodies.validate(Batch, raw).steps
        _refuse_twins(given)
        planned = [_Planned(number, step, table.find(number, step)) for number, step in enumerate(given)]
        async with places(request):
            await count_parts(request, principal, [each.operation.policy for each in planned])
            for each in planned:
                each.require(principal)
            calls = [Call(principal, runtime(request), each.preconditions) for each in planned]
            several = Several(
                [each.part(call, parsed["steps"][each.number].get("body", _NOTHING), given)
                 for each, call in zip(planned, calls, strict=True)],
                lambda answers: _answer(given, answers),
                lambda stored: _subjects(planned, stored),
                any(each.operation.bound.resource.require_key for each in planned),
            )  # fmt: skip
            return await carry_out(request, principal, raw, several)

    return router


class _Table:
    """The operations that a step may name, by method and form of the path."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._operations = [(_form(each.path), each) for each in operations if each.write is not None]

    def find(self, number: int, step: BatchStep) -> tuple[Operation, str]:
        """The operation, and what stands for the key in the path. Raises Invalid for another path, however spelt."""
        for form, operation in self._operations:
            found = form.fullmatch(step.path)
            if found is not None and operation.method == step.method:
                return operation, found.groupdict().get("id") or ""
        said = "There is no such operation on a resource: method and path as of a request of its own, without a query"
        raise Invalid(errors=[FieldError("unknown_operation", said, pointer=f"/steps/{number}/path")])


def _form(path: str) -> re.Pattern[str]:
    before, key, after = path.partition("{id}")
    return re.compile(
        re.escape(before) + (r"(?P<id>\{[^{}/]+#/[^{}]+\}|[A-Za-z0-9._~-]{1,200})" if key else "") + re.escape(after)
    )


@dataclass(frozen=True, slots=True)
class _Planned:
    """One step and the operation that it names. found: that operation, and the part of the path that names the row."""

    number: int
    step: BatchStep
    found: tuple[Operation, str]

    @property
    def operation(self) -> Operation:
        return self.found[0]

    @property
    def preconditions(self) -> Headers:
        return Headers({} if self.step.if_match is None else {"if-match": self.step.if_match})

    @property
    def _told(self) -> dict[str, Any]:
        return {"step": self.step.id or self.number}

    def require(self, principal: Principal) -> None:
        """Raise where the rule of the operation lets this caller do it to no row."""
        try:
            require(self.operation.rule, principal)
        except Problem as problem:
            raise placed(problem, "", self._told) from None

    def part(self, call: Call, body: Any, given: Sequence[BatchStep]) -> Part:
        """What is carried out. body: as sent, with its references."""
        write = self.operation.write
        assert write is not None

        def prepare(answers: Sequence[Response]) -> Step:
            known = {
                each.id: orjson.loads(answer.body or b"null")
                for each, answer in zip(given, answers, strict=False)
                if each.id
            }
            key = fill_path(self.found[1], known)
            raw = b"" if body is _NOTHING else orjson.dumps(fill(body, known))
            if write.accepted and body is _NOTHING:
                raise Invalid(errors=[FieldError("missing", "Field required", pointer="")])
            return write.prepare(call._replace(key=key, body=raw))

        place = f"/steps/{self.number}/body"
        if refers(self.found[1], body):
            return Part(place, self._told, prepare=prepare)
        try:
            return Part(place, self._told, prepare(()))
        except Problem as problem:
            raise placed(problem, place, self._told) from None

    def subject(self, told: Mapping[str, Any], known: Answers) -> Any:
        """The key of the row that a stored answer is about."""
        if told["location"] and self.operation.kind == "create":
            return self.operation.bound.parse_key(told["location"].rpartition("/")[2])
        key = self.operation.bound.parse_key(fill_path(self.found[1], known))
        return None if self.operation.kind == "create" else key


def _refuse_twins(steps: Sequence[BatchStep]) -> None:
    named = [step.id for step in steps if step.id is not None]
    for number, step in enumerate(steps):
        if step.id is not None and named.count(step.id) > 1:
            twin = FieldError("repeated_id", "Another step has this id", pointer=f"/steps/{number}/id")
            raise Invalid(errors=[twin])


def _answer(steps: Sequence[BatchStep], answers: Sequence[Response]) -> Response:
    told = [
        b'{"id":%b,"status":%d,"location":%b,"etag":%b,"body":%b}' % (
            orjson.dumps(step.id), answer.status_code, orjson.dumps(answer.headers.get("location")),
            orjson.dumps(answer.headers.get("etag")), bytes(answer.body) or b"null",
        )
        for step, answer in zip(steps, answers, strict=True)
    ]  # fmt: skip
    return Response(b'{"steps":[%b]}' % b",".join(told), media_type="application/json")


def _subjects(planned: Sequence[_Planned], stored: bytes) -> Iterable[tuple[Bound, Any]]:
    answers = orjson.loads(stored)["steps"]
    known = {each.step.id: told["body"] for each, told in zip(planned, answers, strict=True) if each.step.id}
    for each, told in zip(planned, answers, strict=True):
        yield each.operation.bound, each.subject(told, known)
