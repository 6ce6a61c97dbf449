"""New and moved rows are judged at the flush: the compiler can narrow what exists, not what is about to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, func, inspect, select
from sqlalchemy.orm import InstanceState

from freehold.errors import Conflict, Forbidden
from freehold.resource.access import All, Constant, Either, Not, Owner, Rule
from freehold.resource.principal import Principal, system
from freehold.store.branch import branch_sync
from freehold.store.conditions import LiteralCaller, condition
from freehold.store.protection import Protection

if TYPE_CHECKING:
    from freehold.store.session import ScopedSession

REFUSED = "You may not write this row."


class Stale(Conflict):
    """A row was changed or removed between the read and the write of one unit."""

    def __init__(self) -> None:
        super().__init__("The row was changed meanwhile, or is not yours to change: read it again, then decide.")


class Judge:
    """One flush of one session."""

    def __init__(self, session: ScopedSession) -> None:
        self._session = session
        self._shape = session.fh_scope.shape
        self._principal = session.fh_scope.principal
        self._pending: list[tuple[Any, Protection, Rule]] = []
        self._is_refused = False

    def before(self) -> None:
        """Refuse what no row could make right; remember what has to be looked at in the database."""
        for obj in self._session.new:
            self._consider(obj, "create")
        for obj in self._session.dirty:
            self._consider(obj, "update")
        for obj in self._session.deleted:
            self._consider(obj, "delete")

    def after(self) -> None:
        """Ask the database about the rows that could not be judged from their values alone. Raises Forbidden."""
        for obj, protection, rule in self._pending:
            if not self._holds(obj, protection, rule):
                raise Forbidden(REFUSED)

    def unmatched(self) -> Exception:
        """What to raise when a statement of the flush matched no row: its rule, where that is known, or a race."""
        return Forbidden(REFUSED) if self._is_refused else Stale()

    def _consider(self, obj: Any, verb: str) -> None:
        state: InstanceState[Any] = inspect(obj)
        if verb == "update" and not self._session.is_modified(obj):
            return
        # A row of an inherited model has a part in every table of its mapper, each with a rule of its own.
        for table in state.mapper.tables:
            protection = self._shape.registry.find(getattr(table, "name", ""))
            if protection is not None:
                self._judge(obj, state, protection, verb)

    def _judge(self, obj: Any, state: InstanceState[Any], protection: Protection, verb: str) -> None:
        rule = self._shape.rule(protection, verb)
        if isinstance(rule, Constant) and not rule.value:
            raise Forbidden(REFUSED)
        if verb == "create" or (verb == "update" and self._moves(state, protection)):
            verdict = judge_values(rule, obj, self._principal)
            if verdict is False:
                raise Forbidden(REFUSED)
            if verdict is None:
                self._pending.append((obj, protection, rule))
        elif verb == "update":
            self._is_refused = self._is_refused or judge_values(rule, obj, self._principal) is False
        elif not self._may_delete(obj, protection, rule):
            # The DELETE would match no row and say nothing, and the caller would be told that the row is gone.
            raise Forbidden(REFUSED)

    def _may_delete(self, obj: Any, protection: Protection, rule: Rule) -> bool:
        verdict = judge_values(rule, obj, self._principal)
        return self._holds(obj, protection, rule) if verdict is None else verdict

    @staticmethod
    def _moves(state: InstanceState[Any], protection: Protection) -> bool:
        for attribute in state.mapper.column_attrs:
            if attribute.columns[0].name in protection.binding and state.attrs[attribute.key].history.has_changes():
                return True
        return any(
            state.attrs[relation.key].history.has_changes()
            for relation in state.mapper.relationships
            if not relation.uselist and {c.name for c in relation.local_columns} & protection.binding
        )

    def _holds(self, obj: Any, protection: Protection, rule: Rule) -> bool:
        mapper = inspect(obj).mapper
        keys = protection.table.primary_key
        wanted = and_(*(key == getattr(obj, mapper.get_property_by_column(key).key) for key in keys))
        asked = condition(rule, protection.model, LiteralCaller(self._principal))
        statement = select(func.count()).select_from(protection.table).where(wanted, asked)
        return bool(self._system_connection().execute(statement).scalar())

    def _system_connection(self) -> Connection:
        # The rule itself is asked about, so it is read without the read rule of the table around it.
        return branch_sync(self._session.connection(), self._session.fh_scopes, system("judging a new row"))


def judge_values(rule: Rule, obj: Any, principal: Principal) -> bool | None:
    """True or False where the row's own values decide; None where only the database can tell."""
    match rule:
        case Constant(value=value):
            return value
        case Owner(path=path) if "." not in path:
            held = getattr(obj, path)
            # Not yet copied from a relationship: the database knows after the flush.
            return None if held is None else bool(held == principal.id)
        case All(rules=rules):
            return _all([judge_values(part, obj, principal) for part in rules])
        case Either(rules=rules):
            found = _all([_negate(judge_values(part, obj, principal)) for part in rules])
            return _negate(found)
        case Not(rule=inner):
            return _negate(judge_values(inner, obj, principal))
    return None


def _all(parts: list[bool | None]) -> bool | None:
    if False in parts:
        return False
    return None if None in parts else True


def _negate(value: bool | None) -> bool | None:  # noqa: FBT001 (a truth value of three)
    return None if value is None else not value
