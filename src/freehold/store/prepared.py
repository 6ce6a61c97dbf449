"""A plan as a driver takes it: text with the rule in it, values in order, and how its columns are read.

What SQLAlchemy works out for each execution is worked out once here, with its own compiler and types, so that a value
is bound and read as it would be by `Connection.execute`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row
from sqlalchemy.engine.result import SimpleResultMetaData

from freehold.resource.principal import Principal
from freehold.store.carried import Decoder, carried
from freehold.store.fetched import Fetched
from freehold.store.scope import CALLER
from freehold.store.writers import teller, writer

if TYPE_CHECKING:
    from freehold.store.encode_exact import ExactEncoder, RowWriters
    from freehold.store.executor import Plan

Binder = tuple[str, Callable[[], Any] | None, Any, Callable[[Any], Any] | None]
_ABSENT: Final = object()


class Prepared:
    """One statement in one rule shape. tables: those that it reads. writes: those that it writes. bare, locks: see `Told`.

    caller: the places (from 0) of values that depend on the caller.
    tellers: by place, what makes of a value what stands in a cursor. writers: by place, for the columns whose values
    orjson does not take as they come. encoders: what writes its rows, by whose they are. many: see `many_of`.
    """

    __slots__ = (
        "_asked",
        "_fixed",
        "_keys",
        "_meta",
        "_names",
        "_processed",
        "_processors",
        "_types",
        "bare",
        "caller",
        "decoders",
        "dialect",
        "encoders",
        "key",
        "locks",
        "many",
        "sql",
        "tables",
        "tellers",
        "writers",
        "writes",
    )

    def __init__(self, compiled: Any, dialect: Any) -> None:
        self.sql: str = compiled.string
        self.tables: frozenset[str] = frozenset(compiled.fh_reads)
        self.writes: frozenset[str] = frozenset(compiled.fh_writes)
        self.bare, self.locks = frozenset[str](compiled.fh_bare), frozenset[str](compiled.fh_locks)
        self.dialect = dialect
        names: Sequence[str] = compiled.positiontup or ()
        binders = [_binder(compiled, name) for name in names]
        self.caller = frozenset(place for place, (_, ask, _, _) in enumerate(binders) if ask is not None)
        self._names = [name for name, _, _, _ in binders]
        self._fixed = {name: fixed for name, ask, fixed, _ in binders if ask is None and fixed is not _ABSENT}
        self._asked = [(place, ask) for place, (_, ask, _, _) in enumerate(binders) if ask is not None]
        self._processed = [(place, process) for place, (_, _, _, process) in enumerate(binders) if process is not None]
        self.key = {name: place for place, name in enumerate(names)}
        columns = compiled._result_columns or ()  # noqa: SLF001 (what SQLAlchemy's own cursor result reads it from)
        self._types = [column.type for column in columns]
        self._meta = SimpleResultMetaData([column.keyname for column in columns])
        self._keys = self._meta._key_to_index  # noqa: SLF001
        self.decoders: Sequence[Decoder] | None = None
        self._processors: Any = None
        self.tellers: Sequence[Decoder] = ()
        self.writers: Mapping[int, Callable[[Any], Any]] = {}
        # As many as there are resources that are read by this statement: one, or two of one table.
        self.encoders: dict[ExactEncoder, RowWriters] = {}
        self.many: str | None = None

    def bind(self, params: Mapping[str, Any], principal: Principal) -> list[Any]:
        """The values of a statement, in order. Raises what the types raise for a value that is not theirs."""
        given = {**self._fixed, **params} if self._fixed else params
        found = self._with_caller(given, principal) if self._asked else list(map(given.__getitem__, self._names))
        for place, process in self._processed:
            found[place] = process(found[place])
        return found

    def _with_caller(self, given: Mapping[str, Any], principal: Principal) -> list[Any]:
        found = [None if place in self.caller else given[name] for place, name in enumerate(self._names)]
        token = CALLER.set(principal)
        try:
            for place, ask in self._asked:
                found[place] = ask()
        finally:
            CALLER.reset(token)
        return found

    def describe(self, kinds: Sequence[Any]) -> None:
        """Settle how columns are read. kinds: what the driver calls their types (the OIDs on PostgreSQL)."""
        if self.decoders is None:
            self.decoders = [
                type_._cached_result_processor(self.dialect, kind)  # noqa: SLF001 (as SQLAlchemy's cursor result does)
                for type_, kind in zip(self._types, kinds, strict=True)
            ]
            self._processors = self.decoders if any(self.decoders) else None
            columns = list(zip(self._types, self.decoders, strict=True))
            self.tellers = [teller(*column, self.dialect) for column in columns]
            each = [writer(*column, self.dialect) for column in columns]
            self.writers = {place: write for place, write in enumerate(each) if write is not None}

    @property
    def width(self) -> int:
        """How many columns a row has."""
        return len(self._types)

    def rows(self, found: Sequence[Sequence[Any]]) -> Fetched:
        """Rows of the driver as SQLAlchemy gives them."""
        assert self.decoders is not None, "described by whoever ran it"
        return Fetched(found, self)

    def row(self, found: Sequence[Any]) -> Row[Any]:
        """One of them. What stands behind its columns is left out."""
        return Row(self._meta, self._processors, self._keys, found[: len(self._types)])

    def decoder(self, place: int) -> Decoder:
        """What makes the values of a column what they mean; None where they are that already."""
        return None if self._processors is None else self._processors[place]


def prepare(plan: Plan, dialect: Any) -> Prepared | None:
    """The plan for a driver, in the text of a shape's dialect; None for what only SQLAlchemy can run.

    That is: objects, a text that depends on values (a list of them), one that is built for a single request, and one that
    a scope would refuse.
    """
    if plan.is_orm or plan.shape is None:
        return None
    statement = carried(plan.statement, plan.written) if dialect.driver == "asyncpg" else plan.statement
    compiled: Any = statement.compile(dialect=dialect)
    if compiled.post_compile_params or compiled.literal_execute_params or compiled.escaped_bind_names:
        return None
    if compiled.fh_opaque or compiled.fh_control or (compiled.fh_touched and dialect.fh_guard.shape is None):
        return None
    return Prepared(compiled, dialect)


def _binder(compiled: Any, name: str) -> Binder:
    bind = compiled.binds[name]
    fixed = _ABSENT if bind.required else bind.value
    return bind.key, bind.callable, fixed, compiled._bind_processors.get(name)  # noqa: SLF001
