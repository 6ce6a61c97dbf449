"""One row at a time: loaded for a change under the caller's rules and a lock, and judged by the rule of the change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, literal, select

from freehold.errors import FieldError, Forbidden, InsufficientScope, Invalid, NotFound, Problem
from freehold.resource.access import Constant, Rule, anyone
from freehold.resource.applications import counting_for
from freehold.resource.principal import Principal
from freehold.store.conditions import LiteralCaller, condition
from freehold.store.reading import Reading
from freehold.store.rule_clause import RuleClause
from freehold.store.scope import JUDGED
from freehold.store.session import Session
from freehold.store.straight import Straight
from freehold.store.unit import Unit
from freehold.web.bound import Bound, forbidden_field
from freehold.web.guard import lacking_scopes, with_scopes
from freehold.web.step_up import step_ups


def clause(session: Session | Reading | Straight, bound: Bound, rule: Rule) -> ColumnElement[bool]:
    """A further rule as a column of a statement on the resource's table, for the caller of this session."""
    return RuleClause(session.scope.shape.for_rule(rule, bound.model))


async def load(session: Session, bound: Bound, key: Any, *, rule: Rule | None = None) -> Any:
    """The row as an object, under the read rule. Raises NotFound, or Forbidden where a further `rule` does not hold."""
    asked = _Asked(session, bound, anyone if rule is None else rule)
    found = (await session.execute(select(bound.model, *asked.columns).where(bound.key == key))).one_or_none()
    if found is None:
        raise NotFound
    asked.judge(found[1:])
    return found[0]


async def load_for_change(
    session: Session, bound: Bound, key: Any, rule: Rule, *, fields: dict[str, Rule] | None = None
) -> Any:
    """The row under the read rule, locked until the unit ends, with the change's own rules asked in the same statement.

    fields: rules that single fields of the change bring with them. Raises NotFound where the caller may not read the
    row, Forbidden where it may read and not do this, Invalid for a field it may not set on this row.
    """
    if bound.resource.turnstile is not None:
        await bound.resource.turnstile(session, key)
    asked, fields = _Asked(session, bound, rule), fields or {}
    columns = [
        *asked.columns,
        *(_verdict(session, bound, part, f"fh_field_{n}") for n, part in enumerate(fields.values())),
    ]
    statement = select(bound.model, *columns).where(bound.key == key).options(*bound.kept_back)
    locking = statement.with_for_update(of=bound.model, key_share=True)
    found = (await session.execute(locking, execution_options={JUDGED: True})).one_or_none()
    if found is None and session.is_behind_wall:
        # Row-level security lets nobody lock a row that they may not change: is it hidden, or only not theirs?
        found = (await session.execute(statement)).one_or_none()
    if found is None:
        raise NotFound
    row, *verdicts = found
    own, others = verdicts[: len(asked.columns)], verdicts[len(asked.columns) :]
    asked.judge(own)
    refused = [name for name, allowed in zip(fields, others, strict=True) if not allowed]
    if refused:
        raise Invalid(errors=[forbidden_field(name) for name in refused])
    return row


def _verdict(session: Session, bound: Bound, rule: Rule, name: str) -> ColumnElement[bool]:
    """A rule of which nothing but row parts are left, as a column of a statement on the resource's table."""
    return (literal(rule.value) if isinstance(rule, Constant) else clause(session, bound, rule)).label(name)


class _Asked:
    """One rule asked of a row that the caller may read; and whether it fails for want of a scope alone (RFC 6750 3.1),
    or of a more recent or stronger log-in (RFC 9470).

    The answer tells of the row no more than the verb's own success would.
    """

    def __init__(self, session: Session, bound: Bound, rule: Rule) -> None:
        caller = session.principal
        rule = counting_for(rule, caller)
        lacking = lacking_scopes(rule, caller)
        # Each alone, in order of mention, then all together: the first that helps is the one to ask for.
        sets = [(name,) for name in lacking] + ([lacking] if len(lacking) > 1 else [])
        self._helps: list[tuple[Principal, Problem]] = [
            *((with_scopes(caller, names), InsufficientScope(*names)) for names in sets),
            *((each.done_by(caller), each.refusal()) for each in step_ups(rule, caller)),
        ]
        parts = [rule.simplify(caller), *(rule.simplify(helped) for helped, _ in self._helps)]
        self.columns = [_verdict(session, bound, part, f"fh_may_{index}") for index, part in enumerate(parts)]

    def judge(self, verdicts: Sequence[Any]) -> None:
        """Raise Forbidden, InsufficientScope or InsufficientAuthentication, unless the rule holds."""
        allowed, *with_more = verdicts
        if allowed:
            return
        for (_, refusal), helps in zip(self._helps, with_more, strict=True):
            if helps:
                raise refusal
        raise Forbidden


async def check_links(session: Session, bound: Bound, draft: BaseModel) -> None:
    """Both ends of a relation are judged: a row that the caller may not read cannot be pointed to (Z09).

    Raises Invalid, the same for a hidden row and for one that never was.
    """
    faults = []
    for name in sorted(draft.model_fields_set & bound.links.keys()):
        value = getattr(draft, name)
        target = bound.links[name]
        if value is None or target.table is None:
            continue
        statement = select(literal(1)).select_from(target.table).where(target == value)
        if (await session.execute(statement)).first() is None:
            faults.append(FieldError("unknown_reference", "There is no such row", pointer=f"/{name}"))
    if faults:
        raise Invalid(errors=faults)


async def check_fields(session: Session, bound: Bound, key: Any, fields: dict[str, Rule]) -> None:
    """Rules of single fields are asked of a new row as it has become, also of one that its maker may not read.

    Raises Invalid for what the caller may not set on it.
    """
    caller = LiteralCaller(session.principal)
    asked = [condition(rule, bound.model, caller).label(f"fh_field_{n}") for n, rule in enumerate(fields.values())]
    async with session.unscoped("judging the fields of a new row") as everything:
        verdicts = (await everything.execute(select(*asked).select_from(bound.table).where(bound.key == key))).one()
    refused = [name for name, allowed in zip(fields, verdicts, strict=True) if not allowed]
    if refused:
        raise Invalid(errors=[forbidden_field(name) for name in refused])


async def still_allowed(unit: Unit, bound: Bound, key: Any) -> None:
    """Before a replay: the row of the stored answer, if it still exists, has to be readable still (I08)."""
    statement = select(literal(1)).select_from(bound.table).where(bound.key == key)
    if key is None or (await unit.session.execute(statement)).first() is not None:
        return
    async with unit.session.unscoped("a replay asks whether the row is gone or hidden") as everything:
        if (await everything.execute(statement)).first() is not None:
            raise NotFound


__all__ = ["check_fields", "check_links", "clause", "load", "load_for_change", "still_allowed"]
