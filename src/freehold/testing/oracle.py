"""What a rule comes to for one caller and one row, by looking: nothing here is shared with the code that writes SQL.

Own predicates (`where`) are the exception: they are SQL, so the database is asked, one row at a time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import ColumnElement, and_, func, inspect, or_, select

from freehold.resource.access import (
    All,
    Constant,
    Either,
    Member,
    Not,
    Owner,
    Recent,
    Role,
    Rule,
    Scope,
    SignedIn,
    Where,
    WithFactor,
)
from freehold.resource.principal import Principal, system
from freehold.store.conditions import LiteralCaller
from freehold.store.memberships import MEMBERSHIPS

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session
    from freehold.web.bound import Bound


_Verdict: TypeAlias = bool | None
_OfCaller: TypeAlias = Constant | SignedIn | Role | Scope | Recent | WithFactor


def could_hold(rule: Rule, caller: Principal) -> bool | None:
    """True or False when it depends on the caller alone; None when it depends on the row."""
    match rule:
        case Constant() | SignedIn() | Role() | Scope() | Recent() | WithFactor():
            return _about_caller(rule, caller)
        case Owner() | Member():
            return None if caller.id is not None else False
        case Where(takes_caller=takes_caller, needs_id=needs_id):
            return False if takes_caller and needs_id and caller.id is None else None
        case Not(rule=inner):
            return _negated(could_hold(inner, caller))
        case All(rules=rules):
            return _all([could_hold(part, caller) for part in rules])
        case Either(rules=rules):
            return _negated(_all([_negated(could_hold(part, caller)) for part in rules]))
    raise TypeError(f"{rule!r} is no access rule that the proofs know")


def could_step_up(rule: Rule, caller: Principal) -> bool:
    """Whether a log-in of this moment, or one with a second factor, could let the caller in."""
    if caller.id is None or caller.key_id is not None:
        return False
    now, both = {"authenticated_at": caller.seen_at}, {"amr": caller.amr | {"mfa"}}
    more: list[dict[str, Any]] = [now, both, now | both] if _asks_how(rule) else []
    return any(could_hold(rule, replace(caller, **each)) is not False for each in more)


def _asks_how(rule: Rule) -> bool:
    return any(isinstance(atom, Recent | WithFactor) for atom in rule.atoms())


def _about_caller(rule: _OfCaller, caller: Principal) -> bool:
    match rule:
        case Constant(value=value):
            return value
        case SignedIn():
            return caller.id is not None
        case Role(names=names):
            return bool(caller.roles & set(names))
        case Scope(name=name):
            has_credential = caller.id is not None or caller.key_id is not None
            return has_credential and (caller.scopes is None or name in caller.scopes)
        case Recent(seconds=seconds):
            proved = caller.authenticated_at
            return (
                caller.id is not None and proved is not None and caller.seen_at <= proved + timedelta(seconds=seconds)
            )
        case WithFactor():
            return caller.id is not None and "mfa" in caller.amr


def _negated(found: _Verdict) -> _Verdict:
    return None if found is None else not found


def _all(parts: list[bool | None]) -> bool | None:
    return False if False in parts else (None if None in parts else True)


async def holds(session: Session, rule: Rule, row: Any, caller: Principal) -> bool:
    """Whether the rule lets this caller at this row. session: of the system; `row` belongs to it."""
    decided = could_hold(rule, caller)
    if decided is not None:
        return decided
    match rule:
        case Not(rule=inner):
            return not await holds(session, inner, row, caller)
        case All(rules=rules):
            return all([await holds(session, part, row, caller) for part in rules])
        case Either(rules=rules):
            return any([await holds(session, part, row, caller) for part in rules])
        case Owner(path=path):
            return caller.id in await _reached(session, row, path.split("."))
        case Member() | Where():
            return await _looked_up(session, rule, row, caller)
    raise TypeError(f"{rule!r} is no access rule that the proofs know")


async def _looked_up(session: Session, rule: Member | Where, row: Any, caller: Principal) -> bool:
    match rule:
        case Member(path=path, held=held):
            here = await _reached(session, row, path.split("."))
            return any([await _is_member(session, caller, each, held) for each in here])
        case Where():
            return await _asked(session, rule, row, caller)


class Verdicts:
    """What `holds` says of rows that nobody changes meanwhile; each question is put to the database once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[int, int, int], bool] = {}

    async def holds(self, bound: Bound, rule: Rule, row: Any, caller: Principal) -> bool:
        """Whether the rule lets this caller at this row."""
        # By identity: all three live longer than this, and two callers are equal whose claims differ.
        asked = (id(rule), id(row), id(caller))
        if asked not in self._known:
            async with self._database.reading(system("a proof judges a row")) as session:
                here = await session.get_one(bound.model, getattr(row, bound.key_name))
                self._known[asked] = await holds(session, rule, here, caller)
        return self._known[asked]


async def _reached(session: Session, row: Any, path: list[str]) -> list[Any]:
    """The values at the end of a path through relationships, each step by a statement: a model may forbid lazy loads."""
    here = [row]
    for step in path[:-1]:
        relation = inspect(type(here[0])).relationships[step] if here else None
        if relation is None:
            return []
        model, target = type(here[0]), relation.mapper.class_
        keys = or_(*(_is(each) for each in here))
        found = select(target).select_from(model).join(getattr(model, step)).where(keys)
        here = list((await session.scalars(found)).unique())
    return [getattr(each, path[-1]) for each in here]


async def _is_member(session: Session, caller: Principal, organisation_id: Any, held: tuple[str, ...]) -> bool:
    """By reading every membership of the organisation, and comparing here."""
    rows = await session.execute(select(MEMBERSHIPS).where(MEMBERSHIPS.c.organisation_id == organisation_id))
    return any(row.user_id == caller.id and (not held or row.role in held) for row in rows)


def _is(row: Any) -> ColumnElement[bool]:
    mapper = inspect(type(row))
    return and_(*(c == v for c, v in zip(mapper.primary_key, mapper.primary_key_from_instance(row), strict=True)))


async def _asked(session: Session, rule: Where, row: Any, caller: Principal) -> bool:
    predicate: Any = rule.predicate
    if callable(predicate) and not hasattr(predicate, "compile"):
        predicate = predicate(LiteralCaller(caller)) if rule.takes_caller else predicate()
    found = await session.scalar(select(func.count()).select_from(type(row)).where(_is(row), predicate))
    return bool(found)
