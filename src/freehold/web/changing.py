"""Changes that need no object: the row, its records and its answer by prepared statements (`store.changed_rows`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from pydantic import BaseModel
from sqlalchemy.exc import StatementError
from starlette.responses import Response

from freehold.resource.merge import changed_values, has_checks, recheck
from freehold.store.at_once import Doing, InUnit, alone
from freehold.store.changed_rows import ChangedRows
from freehold.store.fetched import Fetched
from freehold.store.outbox import is_heard
from freehold.store.plain_models import Listeners
from freehold.store.protection import Shape
from freehold.store.straight import NotStraight, Straight
from freehold.store.unit import Unit
from freehold.store.ways import NotAtOnce
from freehold.web.bound import Bound
from freehold.web.creating import Whole, points_to_others
from freehold.web.preconditions import check_match
from freehold.web.problem_database import refuses_the_write
from freehold.web.steps import Call


class Changing:
    """Changes of rows of one resource, where nothing of the application's own has a say in how one is made."""

    def __init__(self, bound: Bound) -> None:
        self._bound = bound
        self._listeners = Listeners(bound.mapper)
        self._event = f"{bound.resource.name}.updated"
        resource = bound.resource
        is_own = resource.update is not None or resource.turnstile is not None
        self._rows = None if is_own else ChangedRows.of(bound.model, bound.rule("update"))
        if has_checks(bound.create_schema) and not (self._rows and self._rows.has(bound.create_schema.model_fields)):
            self._rows = None  # what is checked together is more than columns

    def can(self, call: Call, changes: BaseModel) -> bool:
        """Whether these changes need no object."""
        rows, bound, sent = self._rows, self._bound, changes.model_fields_set
        if rows is None or self._listeners or is_heard(call.parts.database.parts, self._event):
            return False
        if bound.links and points_to_others(changes, bound.links):
            return False  # the row that it points to has to be looked at
        return rows.has(sent) and not bound.row_rules_for(sent, call.principal)

    async def change(
        self,
        call: Call,
        unit: Unit,
        key: Any,
        changes: BaseModel,
        *,
        show: Callable[[Straight], Awaitable[Response]],
        whole: Whole | None,
    ) -> Response:
        """Change it, with its records; what `whole` or `show` answers. Raises NotStraight for every error that is about the row, too.

        An object meets the error again, and knows what was tried.
        """
        rows, bound = self._rows, self._bound
        assert rows is not None
        straight = Straight.of_unit(unit)
        try:
            row = await rows.load(straight, key)
            changed = self._changed(call, straight.scope.shape, row, changes)
            if whole is not None and straight.dialect_name == "postgresql":
                with suppress(NotAtOnce):
                    return whole.tell(await self._change_whole(InUnit(unit, straight), row, changed, whole))
            await rows.change(unit, straight, bound.resource.name, row, changed)
            return await show(straight)
        except StatementError as error:
            if not refuses_the_write(error):
                raise
            raise NotStraight from error

    async def change_alone(self, call: Call, key: Any, changes: BaseModel, whole: Whole) -> Response:
        """The same as a unit of one statement, of a row that was looked at. Raises NotAtOnce, NotTaken, NotStraight."""
        assert self._rows is not None
        found = alone(call.parts.database, call.principal, call.request_id)
        if found is None:
            raise NotAtOnce
        row = await self._rows.look(found, key)
        changed = self._changed(call, found.shape, row, changes)
        return whole.tell(await self._change_whole(found, row, changed, whole))

    async def _change_whole(self, doing: Doing, row: dict[str, Any], changed: dict[str, Any], whole: Whole) -> Fetched:
        assert self._rows is not None
        if not whole.can_tell({**row, **changed}):
            raise NotAtOnce
        return await self._rows.change_whole(doing, whole.plan, self._bound.resource.name, row, changed)

    def _changed(self, call: Call, shape: Shape, row: dict[str, Any], changes: BaseModel) -> dict[str, Any]:
        """What is to be changed of a row. Raises what a caller is told of it, NotStraight for what an object does."""
        rows, bound = self._rows, self._bound
        assert rows is not None
        seen = SimpleNamespace(**row)
        check_match(call.headers, version=bound.version_of(seen), required=bound.resource.require_if_match)
        values = changed_values(seen, changes)
        recheck(bound.create_schema, seen, values)
        return rows.changed(shape, row, values)
