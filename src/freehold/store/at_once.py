"""Units of work that are one statement: the row, the records of it, and what its caller is shown of it.

The server commits such a statement with its end, or does nothing of it. So there is no message to begin with and none to
commit by, and no second statement that reads back what the first has written. What needs a say in between (a claim of a
key, a function, a further row to look at, a wall that has to be told of the caller) takes a unit of its own (`straight`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import CTE, Column, ColumnElement, FromClause, Insert, Select, Update, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import visitors
from sqlalchemy.sql.util import ClauseAdapter

from freehold.cancellation import note_done
from freehold.resource.principal import Principal
from freehold.store.executor import Plan
from freehold.store.fetched import Fetched
from freehold.store.prepared import Prepared
from freehold.store.protection import Shape
from freehold.store.questions import Question
from freehold.store.rule_clause import as_clause
from freehold.store.straight import Straight
from freehold.store.tasks import over
from freehold.store.together import Apart, may_have_done
from freehold.store.touched import Change, Watchers
from freehold.store.trail import Trails
from freehold.store.unit import Unit, shielded
from freehold.store.ways import NotAtOnce, Turn, Way

if TYPE_CHECKING:
    from freehold.store.database import Database

_SEEN: Final = "fh_seen"


class Doing(Protocol):
    """Where one caller writes by one statement: alone, or inside a unit."""

    dialect: Any
    principal: Principal
    request_id: str | None
    shape: Shape
    trails: Trails

    async def write(self, prepared: Prepared, params: Mapping[str, Any]) -> Fetched:
        """Run it. Raises NotAtOnce before it is sent."""
        ...


class Triggered(frozenset[str]):
    """Tables with triggers that fire after a row was written and may change it, which `RETURNING` does not show, or before
    one is inserted, and may put it elsewhere.

    A part of a database.
    """


# tgtype: 2 is BEFORE, 4 and 16 are of INSERT and UPDATE. Of the toolkit's own tables nothing is shown so.
_TRIGGERED: Final = text(
    """
SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE NOT t.tgisinternal AND t.tgtype & 20 <> 0 AND (t.tgtype & 2 = 0 OR t.tgtype & 4 <> 0) AND c.relname NOT LIKE 'freehold\\_%'
"""
)


async def triggered(connection: AsyncConnection) -> Triggered:
    """Those of a database, for its parts: without, no row is written at once."""
    return Triggered((await connection.execute(_TRIGGERED)).scalars())


def _is_triggered(parts: Mapping[type[Any], Any], written: Prepared) -> bool:
    found: Triggered | None = parts.get(Triggered)
    return found is None or not written.writes.isdisjoint(found)


class Alone:
    """What one caller does in one request, by statements that stand by themselves. Made by `alone`."""

    __slots__ = ("_parts", "_watchers", "_way", "dialect", "principal", "request_id", "shape", "trails")

    def __init__(self, database: Database, way: Way, principal: Principal, request_id: str | None) -> None:
        self.principal = principal
        self.request_id = request_id
        self.dialect, self.shape = database.scopes.dialect(principal, None)
        self.trails: Trails = database.parts.get(Trails) or Trails()
        self._way = way
        self._parts = database.parts
        self._watchers: Watchers = database.parts[Watchers]

    async def read(self, prepared: Prepared, params: Mapping[str, Any], *, key: str) -> Fetched:
        """The row of a key, or none, by a statement that changes nothing. key: what its value is called."""
        values = self._bound(prepared, params)
        self._way.tell(prepared.sql)
        return prepared.rows(await self._way.look(prepared, values, key))

    async def write(self, prepared: Prepared, params: Mapping[str, Any], *, apart: bool = False) -> Fetched:
        """Run a unit: it is committed when this returns. Until it is sent, a cancellation leaves nothing; what was sent is
        cut short then, and its outcome waited for.

        apart: it joins no others, with whom it was refused.
        Raises NotAtOnce and NotTaken where nothing was done, OutcomeUnknown, and whatever goes wrong once it is done.
        """
        values = self._admitted(prepared, params)
        together = self._way.together(prepared, self._watchers)
        if together is None:
            return await self._by_itself(prepared, values)
        if not apart and not together.is_apart:
            self._way.tell(prepared.sql)
            try:
                return together.rows(await together.write(values))
            except Apart:  # nothing was done
                pass
        together.begins()
        try:
            return await self._by_itself(prepared, values)
        finally:
            together.ends()

    def question(self, prepared: Prepared, params: Mapping[str, Any]) -> Question | None:
        """The same, to be asked without waiting; None for what goes by itself. Raises NotAtOnce."""
        values = self._admitted(prepared, params)
        together = self._way.together(prepared, self._watchers)
        if together is None or together.is_apart:
            return None
        self._way.tell(prepared.sql)
        return together, values

    def _admitted(self, prepared: Prepared, params: Mapping[str, Any]) -> list[Any]:
        """The values of a unit that may be one statement. Raises NotAtOnce."""
        if self._watchers.join(Change(prepared.writes)) or _is_triggered(self._parts, prepared):
            raise NotAtOnce
        return self._bound(prepared, params)

    async def _by_itself(self, prepared: Prepared, values: Sequence[Any]) -> Fetched:
        change = Change(prepared.writes)
        try:
            await self._watchers.will_change(change)
            turn = await self._way.turn()
        except BaseException:
            await shielded(self._watchers.has_changed(change))
            raise
        return await _to_its_end(self._watched(turn, prepared, values, change), turn.cut_short)

    def _bound(self, prepared: Prepared, params: Mapping[str, Any]) -> list[Any]:
        try:
            return prepared.bind(params, self.principal)
        except Exception as error:  # a value that is not its type's: SQLAlchemy says it in its own words
            raise NotAtOnce from error

    async def _watched(self, turn: Turn, prepared: Prepared, values: Sequence[Any], change: Change) -> Fetched:
        try:
            return await self._run(turn, prepared, values)
        finally:
            await self._watchers.has_changed(change)

    async def _run(self, turn: Turn, prepared: Prepared, values: Sequence[Any]) -> Fetched:
        try:
            self._way.tell(prepared.sql)
        except BaseException:
            turn.leave()
            raise
        rows, kinds = await turn.run(prepared.sql, values)
        prepared.describe(kinds)
        return prepared.rows(rows)


class InUnit:
    """The same within a unit, for what claims a key in it, is told of its caller or is joined by others."""

    __slots__ = ("_parts", "_straight", "dialect", "principal", "request_id", "shape", "trails")

    def __init__(self, unit: Unit, straight: Straight) -> None:
        self.principal = unit.principal
        self.request_id = unit.request_id
        self.dialect, self.shape = straight.dialect, straight.scope.shape
        self.trails = unit.trail.trails
        self._straight = straight
        self._parts = unit.parts

    async def write(self, prepared: Prepared, params: Mapping[str, Any]) -> Fetched:
        """Run it in the transaction. Raises NotStraight."""
        if _is_triggered(self._parts, prepared):
            raise NotAtOnce
        return prepared.rows(await self._straight.run([(prepared, params)]))


def alone(database: Database, principal: Principal, request_id: str | None) -> Alone | None:
    """For one request; None where the database has no such way, or somebody listens for what goes through SQLAlchemy."""
    way = database.at_once
    if way is None or _is_listened_to(database):
        return None
    return Alone(database, way, principal, request_id)


def _is_listened_to(database: Database) -> bool:
    """Whether more than those listen who hear of such statements by `Database.listeners`, too."""
    engine: Any = database.engine.sync_engine
    if not engine._has_events:  # noqa: SLF001 (as it asks itself)
        return False
    dispatch = engine.dispatch
    own = len(database.listeners)
    return any(
        len(getattr(dispatch, name)) > (own if name == "before_cursor_execute" else 0)
        for name in dispatch._event_names  # noqa: SLF001
    )


def answered(
    change: Insert | Update, plan: Plan, shape: Shape, *, before: Callable[[CTE], list[Insert]]
) -> Select[Any] | None:
    """A change of one row as a whole: what a plan shows of that row, and last whether its caller may read it.

    before: what else is written, given the row. None where the plan, or the rule of reading, looks at more than that row.
    """
    changed: Any = change.table
    protection = shape.registry.find(changed.name)
    rule = True if protection is None else shape.condition(protection, "read")
    assert isinstance(plan.statement, Select), "what reads one row"
    columns: list[ColumnElement[Any]] = list(plan.statement.selected_columns)
    asked = as_clause(rule)
    named = _named(changed, [*columns, asked])
    if named is None:
        return None
    row = change.returning(*dict.fromkeys([*named, *changed.primary_key])).cte("fh_row")
    adapter = ClauseAdapter(row)
    shown = select(*(adapter.traverse(each) for each in columns), adapter.traverse(asked).label(_SEEN)).select_from(row)
    return shown.add_cte(*(each.cte(f"fh_part_{number}") for number, each in enumerate(before(row))))


def is_seen(rows: Fetched) -> bool:
    """Whether the caller may read the row that `answered` gave."""
    return bool(rows.raw[0][-1])


def _named(changed: Any, clauses: Sequence[ColumnElement[Any]]) -> list[Column[Any]] | None:
    """The columns that clauses name; None where one looks at more than a row of that table."""
    found: dict[Column[Any], None] = {}
    for clause in clauses:
        for each in visitors.iterate(clause):
            if isinstance(each, FromClause | Select) or (isinstance(each, Column) and each.table is not changed):
                return None
            if isinstance(each, Column):
                found[each] = None
    return list(found)


async def _to_its_end(work: Coroutine[Any, Any, Fetched], cut_short: Callable[[], None]) -> Fetched:
    """What was sent may be done: whoever leaves has it cut short, and learns first that it is over."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError as left:
        cut_short()
        await over(task)
        if may_have_done(task):
            note_done(left)
        raise
