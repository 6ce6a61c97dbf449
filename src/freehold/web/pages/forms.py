"""What somebody typed into a form, and what was wrong with it, said at the field and again at the top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request

from freehold.errors import Problem
from freehold.web.pages.messages import GENERAL, of_problem, of_value
from freehold.wording import Phrase, phrase

_LONGEST_FIELD = 8192
_FEW_CHARACTERS = 500


@dataclass(slots=True)
class Form:
    """values: as typed, without what is secret. faults: by field; those of no field under `GENERAL`."""

    values: Mapping[str, str]
    faults: dict[str, Phrase | str] = field(default_factory=dict)
    status: int = 200

    def value(self, name: str) -> str:
        """What to show in a field."""
        return self.values.get(name, "")

    def fault(self, name: str) -> Phrase | str | None:
        """What is wrong with a field."""
        return self.faults.get(name)

    @property
    def general(self) -> Phrase | str | None:
        """What is wrong, and with no field."""
        return self.faults.get(GENERAL)


async def typed(request: Request) -> dict[str, str]:
    """The fields of a posted form: text alone, each once, the first where there are several."""
    found: dict[str, str] = {}
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str) and len(value) <= _LONGEST_FIELD:
            found.setdefault(name, value)
    return found


def shown(values: Mapping[str, str], *, secret: tuple[str, ...] = ()) -> dict[str, str]:
    """What may be shown again: no password, code or token, and no text of a length that nobody types."""
    hidden = {"csrf_token", *secret}
    return {name: value[:_FEW_CHARACTERS] for name, value in values.items() if name not in hidden}


def refused(
    values: Mapping[str, str],
    problem: Problem,
    *,
    fields: tuple[str, ...],
    minimum: int = 0,
    secret: tuple[str, ...],
    known: str = "",
) -> Form:
    """The form again with what a problem says. fields: those there are; what is wrong elsewhere is said at the top.

    known: the field of the password of somebody who is known, which alone can be wrong where credentials are.
    """
    faults: dict[str, Phrase | str] = {}
    if known and problem.problem_code == "auth.wrong_credentials":
        faults[known] = phrase("This is not your password.")
    for error in problem.errors:
        name = (error.pointer or "").removeprefix("/").partition("/")[0]
        faults.setdefault(name if name in fields else GENERAL, of_problem(error.code, error.message, minimum=minimum))
    if not faults:
        seconds = int(problem.headers.get("Retry-After", "0"))
        said = of_problem(problem.problem_code, problem.detail or problem.title, minimum=minimum, seconds=seconds)
        faults[GENERAL] = said
    return Form(shown(values, secret=secret), faults, problem.status)


def invalid(values: Mapping[str, str], error: ValidationError, *, secret: tuple[str, ...]) -> Form:
    """The form again with what a schema says of its fields."""
    faults: dict[str, Phrase | str] = {}
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        place: tuple[Any, ...] = fault["loc"]
        name = str(place[0]) if place else GENERAL
        faults.setdefault(name, of_value(name, str(fault["type"]), is_there=bool(values.get(name, "").strip())))
    return Form(shown(values, secret=secret), faults, 422)
