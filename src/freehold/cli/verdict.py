"""The judgement behind `freehold explain-access`.

The status comes from the same functions that judge a request; the parts of a rule are asked one by one, as the system,
so that the answer can name the part that fails. It shows what is hidden from the caller: it is for operators.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from sqlalchemy import ColumnElement, select

from freehold.cli.running import Service
from freehold.errors import ConfigurationError, Forbidden, InsufficientAuthentication, NotFound, Problem
from freehold.resource.access import Constant, Rule
from freehold.resource.declaration import Nested
from freehold.resource.principal import Principal, system
from freehold.store.conditions import LiteralCaller, condition
from freehold.web.bound import Bound
from freehold.web.guard import require
from freehold.web.mounting import Operation
from freehold.web.rows import load
from freehold.web.unit import rule_of


@dataclass(frozen=True, slots=True)
class Atom:
    """One part of a rule. answer: `holds`, `does not hold`, or `no row` where there is none to ask."""

    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule with its parts."""

    verb: str
    rule: str
    atoms: list[Atom]


@dataclass(slots=True)
class Explanation:
    """What the caller would get, and why."""

    caller: str
    operation: str
    status: int = 200
    reason: str = ""
    rules: list[Judged] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def operation_of(service: Service, method: str, path: str) -> Operation | RouteContext:
    """The operation behind a path. Raises ConfigurationError where there is none."""
    for operation in service.mounted.operations:
        if operation.method == method and _matches(operation.path, path):
            return operation
    for context in iter_route_contexts(service.app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and method in (context.methods or ()) and _matches(context.path or "", path):
            return context
    raise ConfigurationError(
        f"No operation answers {method} {path}; `freehold routes` lists them. "
        "A verb without a rule is closed to all, and therefore not there."
    )


async def explain(
    service: Service, operation: Operation | RouteContext, principal: Principal, named: str, path: str
) -> Explanation:
    """Judge the caller, then the row that the path names."""
    if isinstance(operation, RouteContext):
        return _route(operation, principal, named)
    return await _Inquiry(service, operation, principal, path).run(named)


class _Inquiry:
    """One caller and one operation of a resource."""

    def __init__(self, service: Service, operation: Operation, principal: Principal, path: str) -> None:
        self._service = service
        self._operation = operation
        self._principal = principal
        self._bound = _bound_of_row(service, operation)
        self._key = _key(self._bound, operation, path)
        self._is_below = self._bound is not operation.bound

    async def run(self, named: str) -> Explanation:
        operation = self._operation
        explanation = Explanation(named, f"{operation.method} {operation.path} ({operation.id})", operation.status)
        if self._key is not None:
            explanation.rules.append(await self._judged("read", self._bound.rule("read")))
        if self._key is None or self._is_below or operation.kind != "one":
            verb = {"list": "read", "one": "read", "action": "act", "overview": "view"}.get(
                operation.kind, operation.kind
            )
            explanation.rules.append(await self._judged(verb, operation.rule, asks_row=not self._is_below))
        if _judge_caller(explanation, operation.rule, self._principal):
            await self._judge_row(explanation)
        return explanation

    async def _judge_row(self, explanation: Explanation) -> None:
        if self._key is not None:
            try:
                await self._load()
            except NotFound:
                there = await self._ask(self._bound.key == self._key)
                explanation.status = 404
                explanation.reason = "the caller may not read the row" if there else "there is no such row, for anyone"
                return
            except InsufficientAuthentication as problem:
                explanation.status, explanation.reason = 401, _why(problem)
                return
            except Forbidden:
                explanation.status, explanation.reason = 403, "the caller may read the row, and not do this with it"
                return
        left = self._operation.rule.simplify(self._principal)
        if (self._key is None or self._is_below) and not isinstance(left, Constant):
            each = (
                "the new row" if self._operation.kind == "create" else "each row; the list has those for which it holds"
            )
            explanation.reason = f"allowed; {left.describe()} is asked of {each}"

    async def _load(self) -> None:
        """As a request does: the read rule decides whether the row is there, the operation's whether it may be done."""
        further = None if self._is_below or self._operation.kind == "one" else self._operation.rule
        async with self._service.database.reading(self._principal) as session:
            await load(session, self._bound, self._key, rule=further)

    async def _judged(self, verb: str, rule: Rule, *, asks_row: bool = True) -> Judged:
        return Judged(verb, rule.describe(), [await self._atom(atom, asks_row=asks_row) for atom in rule.atoms()])

    async def _atom(self, atom: Rule, *, asks_row: bool) -> Atom:
        decided = _of_caller(atom, self._principal)
        if decided is not None:
            return decided
        if self._key is None or not asks_row:
            return Atom(atom.describe(), "no row")
        found = await self._ask(condition(atom, self._bound.model, LiteralCaller(self._principal)))
        return Atom(atom.describe(), "no row" if found is None else _said(holds=bool(found)))

    async def _ask(self, asked: ColumnElement[bool]) -> bool | None:
        """What an expression is for the row, whoever may see it; None where there is no such row."""
        statement = select(asked).select_from(self._bound.table).where(self._bound.key == self._key)
        async with self._service.database.reading(system("freehold explain-access: ask the row")) as session:
            found: bool | None = (await session.execute(statement)).scalar_one_or_none()
        return found


def _route(route: RouteContext, principal: Principal, named: str) -> Explanation:
    explanation = Explanation(named, f"{', '.join(sorted(route.methods or ()))} {route.path} ({route.name})")
    rule = rule_of(route)
    if rule is None:
        explanation.reason = "the operation has no rule: everyone may call it"
        return explanation
    atoms = [_of_caller(atom, principal) for atom in rule.atoms()]
    explanation.rules.append(Judged("call", rule.describe(), [atom for atom in atoms if atom is not None]))
    _judge_caller(explanation, rule, principal)
    return explanation


def _judge_caller(explanation: Explanation, rule: Rule, principal: Principal) -> bool:
    try:
        require(rule, principal)
    except Problem as problem:
        explanation.status, explanation.reason = problem.status, _why(problem)
        return False
    explanation.reason = "allowed"
    return True


def _why(problem: Problem) -> str:
    if isinstance(problem, InsufficientAuthentication):
        needed = [f"of the last {age} seconds" for age in [problem.extra.get("max_age")] if age is not None]
        needed += ["with a second factor"] if "acr_values" in problem.extra else []
        return f"the rule asks for a log-in {' and '.join(needed)}"
    return "nobody is logged in" if problem.status == 401 else "no row could make the rule hold"


def _of_caller(atom: Rule, principal: Principal) -> Atom | None:
    left = atom.simplify(principal)
    return Atom(atom.describe(), _said(holds=left.value)) if isinstance(left, Constant) else None


def _said(*, holds: bool) -> str:
    return "holds" if holds else "does not hold"


def _bound_of_row(service: Service, operation: Operation) -> Bound:
    """The resource whose row the path names: of a collection below a row, the one above."""
    above = [bound for bound in service.mounted.bounds if operation.detail in bound.resource.children]
    return above[0] if isinstance(operation.detail, Nested) and above else operation.bound


def _key(bound: Bound, operation: Operation, path: str) -> Any:
    match = _pattern(operation.path).fullmatch(path.rstrip("/"))
    text = match.groupdict().get("id") if match else None
    if text is None:
        return None
    try:
        return bound.parse_key(text)
    except NotFound:
        raise ConfigurationError(
            f"{text} is no key of {bound.resource.name}: the answer is 404 for everyone."
        ) from None


def _matches(template: str, path: str) -> bool:
    return _pattern(template).fullmatch(path.rstrip("/") or "/") is not None


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)(?::\w+)?\}", template)
    texts = [f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts)]
    return re.compile("".join(texts))
