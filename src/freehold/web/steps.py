"""A writing operation as something that can be carried out: by a request of its own, or as one of several in one commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from freehold.resource.access import Rule
from freehold.resource.principal import Principal
from freehold.store.fetched import Fetched
from freehold.store.protection import Grant
from freehold.store.questions import Responder
from freehold.store.session import Session
from freehold.store.straight import NotStraight
from freehold.store.unit import Unit
from freehold.store.ways import NotAtOnce, NotTaken
from freehold.web import body as bodies
from freehold.web.admission import Endpoint, enter
from freehold.web.execution import Work, Writing, execute, request_key
from freehold.web.problem_database import from_database, refuses_the_write
from freehold.web.reads import Reads
from freehold.web.rows import still_allowed
from freehold.web.runtime import Runtime, runtime


class Call(NamedTuple):
    """What is asked for. key: of the row, as it stands in the path. headers: of which the preconditions count.

    request_id: of the request, where it asks for this alone.
    """

    principal: Principal
    parts: Runtime
    headers: Headers
    key: str = ""
    body: bytes = b""
    request_id: str | None = None


WriteQuestion = tuple[Responder, list[Any], Callable[[Fetched], Response]]
"""A unit of one statement: whom to ask for it, its values, and what answers of its row."""


class AtOnce(Protocol):
    """A unit of one statement. apart: it was refused along with others, and joins none again."""

    def __call__(self, *, apart: bool) -> Awaitable[Response]:
        """Do it. Raises NotAtOnce, NotTaken."""
        ...


class Step(NamedTuple):
    """A write that was found valid. subject: the key of its row, once it has run. ahead: awaited before the unit begins.

    straight: the same by prepared statements alone; where it raises NotStraight, `work` is done in a unit of its own.
    at_once: the same as a unit of one statement; where it raises NotAtOnce or NotTaken, nothing was done, and `straight` may be.
    question: the same, to be asked without waiting; None, or NotAtOnce, for what has to be waited for.
    """

    work: Callable[[Session], Awaitable[Response]]
    subject: Callable[[], Any]
    grant: Grant | None = None
    ahead: Callable[[], Awaitable[None]] | None = None
    straight: Callable[[Unit], Awaitable[Response]] | None = None
    at_once: AtOnce | None = None
    question: Callable[[], WriteQuestion | None] | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """One writing operation of a resource. rule: who may ask for it. prepare: raises what is wrong with the input.

    accepted: media types of its body; none for one that takes no body.
    """

    reads: Reads
    rule: Rule
    prepare: Callable[[Call], Step]
    accepted: tuple[str, ...] = bodies.JSON_TYPES

    def endpoint(self) -> Endpoint:
        """As a request of FastAPI's."""

        async def endpoint(request: Request) -> Response:
            raw = b"" if request.method == "DELETE" else await request.body()
            key = self.read(request.scope, raw)
            principal = await enter(request, self.rule)
            step = self.prepared(runtime(request), request.scope, principal, raw)
            return await self.carry_out(request.scope, principal, raw, key, step)

        return endpoint

    def read(self, scope: Scope, raw: bytes) -> str | None:
        """Parse a request: its Idempotency-Key. Before who asks is looked at: 400 and 415 come before 401 and 403."""
        media: bytes | None = None
        has_key = False
        for name, value in scope["headers"]:
            if name == b"idempotency-key":
                has_key = True
            elif media is None and name == b"content-type":
                media = value
        key = request_key(scope) if has_key else None
        if raw or self.accepted:
            said = None if media is None else media.decode("latin-1")
            bodies.read_json(raw, said, accepted=self.accepted or bodies.JSON_TYPES)
        return key

    def prepared(self, parts: Runtime, scope: Scope, principal: Principal, raw: bytes) -> Step:
        """What was read, for a caller who was let in. What is not valid comes last: 401 and 403 before 422."""
        if scope["query_string"]:
            self.reads.refuse_parameters(Request(scope))
        return self.prepare(_call(parts, scope, principal, raw))

    def question(self, idempotency_key: str | None, step: Step) -> WriteQuestion | None:
        """A step that nobody has to wait for; None where it has to be carried out."""
        if step.question is None or step.ahead is not None or self._claims(idempotency_key):
            return None
        try:
            return step.question()
        except NotAtOnce:
            return None

    async def carry_out(  # noqa: PLR0917 (bound but for the last of them, which its question has by then)
        self,
        scope: Scope,
        principal: Principal,
        raw: bytes,
        idempotency_key: str | None,
        step: Step,
        unanswered: Exception | None = None,
    ) -> Response:
        """Do it, and commit. unanswered: what came of its question, where nothing was done."""
        if step.ahead is not None:
            await step.ahead()
        try:
            if step.at_once is not None and not self._claims(idempotency_key):
                try:
                    return await _at_once(step.at_once, unanswered)
                except NotAtOnce:
                    pass
            if step.straight is not None:
                return await execute(Request(scope), principal, raw, self._writing(step, step.straight))
        except NotStraight:
            pass
        writing = self._writing(step, lambda unit: step.work(unit.session))
        return await execute(Request(scope), principal, raw, writing)

    def _claims(self, idempotency_key: str | None) -> bool:
        """Whether a key is claimed along with it, or the lack of one refused."""
        return idempotency_key is not None or self.reads.bound.resource.require_key

    def _writing(self, step: Step, work: Work) -> Writing:
        async def rejudge(unit: Unit, key: Any) -> None:
            await still_allowed(unit, self.reads.bound, key)

        needs_key = self.reads.bound.resource.require_key
        return Writing(work, grant=step.grant, require_key=needs_key, rejudge=rejudge, subject=step.subject)


async def _at_once(work: AtOnce, unanswered: Exception | None) -> Response:
    """A unit of one statement, from where its question has left it. Raises NotAtOnce, NotStraight, a problem."""
    try:
        if isinstance(unanswered, NotAtOnce | NotTaken):
            raise unanswered
        return await work(apart=unanswered is not None)
    except NotTaken as refused:
        raise _refusal_of(refused) from refused.__cause__


def _refusal_of(refused: NotTaken) -> BaseException:
    """What to raise for a driver's error: NotStraight where it is about what was written, and its problem for any other.

    What goes wrong otherwise may do so after the commit, and is raised as it is: whoever hears NotStraight writes again.
    """
    error = refused.__cause__
    assert error is not None, "what the driver says"
    return NotStraight() if refuses_the_write(error) else from_database(error) or error


def _call(parts: Runtime, scope: Scope, principal: Principal, body: bytes) -> Call:
    key = str(scope["path_params"].get("id", ""))
    return Call(principal, parts, Headers(scope=scope), key, body, scope["state"].get("request_id"))
