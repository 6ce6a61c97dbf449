"""Which models are their columns and nothing more, so that a row may be inserted or changed without an object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Column, Table
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.decl_base import _declarative_constructor

from freehold.resource.columns import derived_columns
from freehold.store.session import ScopedSession

# By name: how many listeners the toolkit itself has, on every mapper or session.
_OF_MAPPERS: Final = {"before_insert": 1, "after_insert": 0, "before_update": 1, "after_update": 0}
_OF_INSTANCES: Final = {"init": 1, "init_failure": 1, "refresh_flush": 0}
_EACH_OF_MAPPER: Final = attrgetter(*_OF_MAPPERS)
_EACH_OF_INSTANCE: Final = attrgetter(*_OF_INSTANCES)
_SETTERS: Final = attrgetter("set")
_OF_SESSIONS: Final = {
    "before_flush": 0, "after_flush": 2, "after_flush_postexec": 0, "before_attach": 0, "after_attach": 0,
    "transient_to_pending": 0, "pending_to_persistent": 0, "loaded_as_persistent": 0,
    "after_begin": 0, "after_transaction_create": 1, "do_orm_execute": 1,
}  # fmt: skip


def is_plain(mapper: Mapper[Any]) -> bool:
    """Whether a row of this mapper is one row of one table, with values that Python knows."""
    table = mapper.local_table
    if not isinstance(table, Table) or mapper.single or mapper.polymorphic_on is not None or len(mapper.tables) != 1:
        return False
    if _has_own_ways(mapper.class_, mapper) or mapper.validators:
        return False
    if mapper.version_id_col is not None and not callable(mapper.version_id_generator):
        return False
    return all(_is_plain_column(mapper, column) for column in table.c)


class Listeners:
    """Who but the toolkit waits for objects of a mapper: for flushes, attributes, or those that join a session."""

    def __init__(self, mapper: Mapper[Any]) -> None:
        manager = mapper.class_manager
        # These live as long as the mapper does; what is kept there comes and goes.
        self._mapper, self._instance = mapper.dispatch, manager.dispatch
        self._attributes = [manager[each.key].dispatch for each in mapper.column_attrs]
        dispatch = ScopedSession.dispatch
        self._of_sessions = [(getattr(dispatch, name), own) for name, own in _OF_SESSIONS.items()]
        self._seen: tuple[Sequence[Any], Sequence[Any], Sequence[int]] = ((), (), (-1,))
        self._verdict = True

    def __bool__(self) -> bool:
        """Whether there is one. Asked at every write: as long as all is as it was counted last, so is the answer."""
        held, kept, numbers = self._seen
        if list(map(len, kept)) != numbers or self._held() != held:
            self._count()
        return self._verdict

    def _held(self) -> list[Any]:
        """What each event is kept in: that is another one once somebody listens to this mapper alone."""
        return [*_EACH_OF_MAPPER(self._mapper), *_EACH_OF_INSTANCE(self._instance), *map(_SETTERS, self._attributes)]

    def _count(self) -> None:
        held, owned = self._held(), [*_OF_MAPPERS.values(), *_OF_INSTANCES.values()]
        owned += [0] * (len(held) - len(owned))
        of_sessions = [(_of_class(event), own) for event, own in self._of_sessions]
        lists = [found for each in held for found in (each.parent_listeners, each.listeners) if found != ()]
        kept = list({id(each): each for each in [*lists, *(each for each, _ in of_sessions)]}.values())
        self._seen = held, kept, list(map(len, kept))
        self._verdict = any(len(each) > own for each, own in zip(held, owned, strict=True)) or any(
            len(each) != own for each, own in of_sessions
        )


def _of_class(event: Any) -> Sequence[Any]:
    """Who listens to sessions of ours, in the list that SQLAlchemy goes on with."""
    if ScopedSession not in event._clslevel:  # noqa: SLF001 (and as it does itself with the first session)
        event.update_subclass(ScopedSession)
    found: Sequence[Any] = event._clslevel[ScopedSession]  # noqa: SLF001
    return found


def _has_own_ways(model: Any, mapper: Mapper[Any]) -> bool:
    """Whether objects are made or set otherwise than SQLAlchemy does it for declared models."""
    has_own_init = mapper.class_manager.original_init is not _declarative_constructor
    return has_own_init or model.__setattr__ is not object.__setattr__ or model.__new__ is not object.__new__


def _is_plain_column(mapper: Mapper[Any], column: Column[Any]) -> bool:
    if column not in mapper._columntoproperty or column.computed is not None or column.identity is not None:  # noqa: SLF001
        return False
    if column.server_default is not None or column.type.should_evaluate_none or column.table is not mapper.local_table:
        return False
    if column.primary_key and column.default is None:
        return False
    if not hasattr(mapper.class_, mapper.get_property_by_column(column).key):
        return False
    if column.server_onupdate is not None or not _is_known(column.onupdate):
        return False
    # What a derived column is derived from is computed here, too.
    return column.name in derived_columns(column.table) or _is_known(column.default)


def _is_known(default: Any) -> bool:
    """Whether a default is a constant, or a function of nothing (which SQLAlchemy wraps)."""
    return default is None or bool(
        default.is_scalar or (default.is_callable and default.arg is not default._given_arg)  # noqa: SLF001
    )


def at_insert(column: Column[Any]) -> Callable[[], Any] | None:
    """What makes the value of a plain column in a new row that does not name it."""
    return _made_by(column.default)


def at_update(column: Column[Any]) -> Callable[[], Any] | None:
    """What makes the value of a plain column in a change that does not name it."""
    return _made_by(column.onupdate)


def _made_by(default: Any) -> Callable[[], Any] | None:
    if default is None:
        return None
    value = default.arg
    made: Callable[[], Any] = (lambda: value) if default.is_scalar else default._given_arg  # noqa: SLF001 (see `_is_known`)
    return made
