"""Several writes in one commit: each prepared and judged in its turn, as it would be alone; all of them, or none.

A write that is refused names itself: the problem is its own, with pointers into the body that held them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import FieldError, Invalid, Problem
from freehold.resource.principal import Principal
from freehold.store.unit import Unit
from freehold.web.bound import Bound
from freehold.web.execution import Writing, execute
from freehold.web.problem_translation import to_problem
from freehold.web.rows import still_allowed
from freehold.web.steps import Step


def _unprepared(_: Sequence[Response]) -> Step:
    raise AssertionError("a part without a step has a function that makes one")


@dataclass(frozen=True, slots=True)
class Part:
    """One of them. place: where its input stands in the body.

    told: members of the problem document when it is the one that is refused. step: where it is known before the others have run.
    prepare: its step otherwise, from the answers of those before.
    """

    place: str
    told: Mapping[str, Any]
    step: Step | None = None
    prepare: Callable[[Sequence[Response]], Step] = _unprepared


@dataclass(frozen=True, slots=True)
class Several:
    """What is to be carried out. answer: made of theirs. subjects: the rows that a stored answer is about (I08)."""

    parts: Sequence[Part]
    answer: Callable[[Sequence[Response]], Response]
    subjects: Callable[[bytes], Iterable[tuple[Bound, Any]]]
    require_key: bool = False


async def carry_out(request: Request, principal: Principal, raw: bytes, several: Several) -> Response:
    """All parts in one unit, in their order. Raises the problem of the first that is refused, which undoes all."""
    at: list[Part] = []

    async def work(unit: Unit) -> Response:
        answers: list[Response] = []
        for part in several.parts:
            at[:] = [part]
            step = part.step or part.prepare(answers)
            if step.ahead is not None and part.step is None:
                said = "This operation looks at what was sent before anything is written: it can refer to no other step"
                raise Invalid(errors=[FieldError("reference_refused", said, pointer="")])
            async with unit.part(step.grant) as db:
                answers.append(await step.work(db))
        at.clear()  # what is refused from here on is refused of all of them together
        return several.answer(answers)

    async def rejudge(unit: Unit, body: bytes) -> None:
        for bound, key in several.subjects(body):
            await still_allowed(unit, bound, key)

    try:
        for part in several.parts:
            at[:] = [part]
            if part.step is not None and part.step.ahead is not None:
                await part.step.ahead()
        return await execute(
            request, principal, raw, Writing(work, require_key=several.require_key, rejudge_all=rejudge)
        )
    except Exception as error:
        problem = to_problem(error)
        if not at or problem.status >= 500:
            raise
        raise placed(problem, at[0].place, at[0].told) from error


def placed(problem: Problem, place: str, told: Mapping[str, Any]) -> Problem:
    """The problem of one part, as one of the whole request."""
    problem.errors = tuple(
        each if each.pointer is None else replace(each, pointer=place + each.pointer) for each in problem.errors
    )
    problem.extra |= told
    return problem
