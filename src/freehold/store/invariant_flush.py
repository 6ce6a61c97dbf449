"""What a flush is about to write under a rule: its locks in order, and the values a refusal is explained with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, event, inspect, text
from sqlalchemy.orm import Mapper, PassiveFlag, Session
from sqlalchemy.orm.attributes import History, get_history

from freehold.resource.invariants import AtMost, Invariant, NoOverlap
from freehold.store.invariant_walls import Bound
from freehold.store.invariants import bounds_of

_TRIED = "fh_tried"
# The triggers compute the same number from the same text (`_key_of` in invariant_postgresql.py).
_LOCKS = text(
    "SELECT pg_advisory_xact_lock(k) FROM "
    "(SELECT DISTINCT hashtextextended(t, 0) AS k FROM unnest(CAST(:keys AS text[])) AS t ORDER BY 1) AS ordered"
)


@dataclass(frozen=True, slots=True)
class Tried:
    """A row that a flush sends under a rule. new, old: column -> value, as far as they are known before the flush."""

    bound: Bound
    new: dict[str, Any]
    old: dict[str, Any] | None


def before_flush(session: Session) -> None:
    """Note the rows that are about to meet a rule; on PostgreSQL take their locks in order when there are several.

    One key needs no statement of its own: the trigger takes its lock before it looks. With several, two flushes could
    take them in opposite order and deadlock, so they are taken here, sorted, in one statement.
    """
    tried = [row for instance in (*session.new, *session.dirty) for row in _rows(instance)]
    if not tried:
        session.info.pop(_TRIED, None)
        return
    session.info[_TRIED] = tried
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        keys = locks(tried)
        if len(keys) > 1:
            connection.execute(_LOCKS, {"keys": keys})


def tried_in(session: Session) -> list[Tried]:
    """The rows of the flush that failed in this session; none when it was not a flush that failed."""
    found: list[Tried] = session.info.get(_TRIED, [])
    return found


@event.listens_for(Session, "after_flush")
def _forget(session: Session, _: object) -> None:
    session.info.pop(_TRIED, None)


def locks(tried: list[Tried]) -> list[str]:
    """The texts of the locks that the triggers of these rows will take, each once."""
    return sorted({key for row in tried for values in (row.new, row.old) if values for key in _key(row.bound, values)})


def _key(bound: Bound, values: dict[str, Any]) -> Iterator[str]:
    columns = _lock_columns(bound.invariant)
    if columns is not None and all(values.get(column) is not None for column in columns):
        yield "/".join([bound.name, *(str(values[column]) for column in columns)])


def _lock_columns(rule: Invariant) -> tuple[str, ...] | None:
    match rule:
        case NoOverlap():
            return rule.keys
        case AtMost():
            return rule.per
    return None


def _rows(instance: object) -> Iterator[Tried]:
    state = inspect(instance)
    mapper: Mapper[Any] = state.mapper
    for table in mapper.tables:
        if not isinstance(table, Table):
            continue
        for bound in bounds_of(table):
            columns = (*bound.invariant.columns(), *table.primary_key.columns.keys())
            histories = {name: _history(mapper, instance, bound, name) for name in dict.fromkeys(columns)}
            new = {name: _last(history.added, history.unchanged) for name, history in histories.items()}
            old = {name: _last(history.deleted, history.unchanged) for name, history in histories.items()}
            yield Tried(bound, new, old if state.persistent else None)


def _history(mapper: Mapper[Any], instance: object, bound: Bound, column: str) -> History:
    key = mapper.get_property_by_column(bound.table.c[column]).key
    return get_history(instance, key, PassiveFlag.PASSIVE_NO_INITIALIZE)


def _last(*candidates: Any) -> Any:
    return next((values[-1] for values in candidates if values), None)
