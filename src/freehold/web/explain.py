"""Why does this caller get a 404? The rule of an operation, taken apart for one caller and one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import literal, select
from starlette.routing import compile_path

from freehold.errors import NotFound
from freehold.resource.access import All, Constant, Either, Not, Rule
from freehold.resource.principal import Principal, system
from freehold.store.conditions import LiteralCaller, condition
from freehold.store.session import Session
from freehold.web.bound import Bound
from freehold.web.guard import is_closed
from freehold.web.step_up import step_ups

if TYPE_CHECKING:
    from freehold.web.app import Freehold
    from freehold.web.mounting import Operation


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a rule. holds: for this caller and this row; None where there is no row to ask."""

    text: str
    holds: bool | None
    depth: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """What happens to a request. status: what it meets first: 200 stands for "let through". reason: in one sentence."""

    operation: str
    status: int
    reason: str
    parts: tuple[Part, ...]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        parts = [{"rule": part.text, "holds": part.holds, "depth": part.depth} for part in self.parts]
        return {"operation": self.operation, "status": self.status, "reason": self.reason, "parts": parts}


async def explain(app: Freehold, principal: Principal, method: str, path: str) -> Explanation:
    """Explain an operation of a resource to its developer. Reads without the caller's rules, and changes nothing.

    Raises NotFound when no resource has such an operation.
    """
    found = _find(app, method.upper(), path.partition("?")[0].rstrip("/"))
    if found is None:
        raise NotFound(f"No resource has {method.upper()} {path}; see `freehold routes`.")
    operation, params = found
    async with app.database.reading(system("explain-access")) as session:
        return await _explain(session, operation, principal, params.get("id"))


def _find(app: Freehold, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    for operation in app.mounted.operations:
        match = compile_path(operation.path)[0].match(path)
        if match and operation.method == method:
            return operation, match.groupdict()
    return None


async def _explain(session: Session, operation: Operation, principal: Principal, key: str | None) -> Explanation:
    bound, name = operation.bound, f"{operation.method} {operation.path}"
    nested = operation.kind in ("list", "create") and key is not None
    row = None
    if key is not None and not nested:
        try:
            row = bound.parse_key(key)
        except NotFound:
            return Explanation(name, 404, "The key in the path is not of the form that this resource has.", ())
        if not await _exists(session, bound, row):
            return Explanation(name, 404, "There is no such row.", ())
    read = await _parts(session, bound, bound.rule("read"), principal, row)
    own = await _parts(session, bound, operation.rule, principal, row)
    shown = tuple(own) if operation.rule == bound.rule("read") else (*own, Part("read:", read[0].holds, 0), *read)
    status, reason = _verdict(operation, principal, own=own[0].holds, read=read[0].holds, has_row=row is not None)
    return Explanation(name, status, reason, shown)


def _verdict(
    operation: Operation, principal: Principal, *, own: bool | None, read: bool | None, has_row: bool
) -> tuple[int, str]:
    simplified = operation.rule.simplify(principal)
    if isinstance(simplified, Constant) and not simplified.value:
        return _refused(operation.rule, principal)
    if not has_row:
        return 200, "The operation is let through; the rule narrows which rows it meets."
    if read is False:
        return 404, "The read rule does not hold for this row, so it does not exist for this caller."
    if own is False:
        return 403, "The caller may read this row, and the rule of the operation does not hold for it."
    return 200, "The rules hold."


def _refused(rule: Rule, principal: Principal) -> tuple[int, str]:
    """What a caller meets whom no row could help."""
    if principal.is_anonymous:
        return 401, "Nobody is signed in, and the rule lets no anonymous caller through."
    if any(not is_closed(rule.simplify(each.done_by(principal))) for each in step_ups(rule, principal)):
        return 401, "The rule asks for a more recent log-in, or for one with a second factor."
    return 403, "No row could help: the caller lacks a role or scope that the rule asks for."


async def _exists(session: Session, bound: Bound, key: Any) -> bool:
    statement = select(literal(1)).select_from(bound.table).where(bound.key == key)
    return (await session.execute(statement)).first() is not None


async def _parts(
    session: Session, bound: Bound, rule: Rule, principal: Principal, key: Any, *, depth: int = 0
) -> list[Part]:
    found = [Part(rule.describe(), await _holds(session, bound, rule, principal, key), depth)]
    inner = rule.rules if isinstance(rule, All | Either) else (rule.rule,) if isinstance(rule, Not) else ()
    for each in inner:
        found += await _parts(session, bound, each, principal, key, depth=depth + 1)
    return found


async def _holds(session: Session, bound: Bound, rule: Rule, principal: Principal, key: Any) -> bool | None:
    simplified = rule.simplify(principal)
    if isinstance(simplified, Constant):
        return simplified.value
    if key is None:
        return None
    asked = condition(simplified, bound.model, LiteralCaller(principal))
    statement = select(literal(1)).select_from(bound.table).where(bound.key == key, asked)
    return (await session.execute(statement)).first() is not None
