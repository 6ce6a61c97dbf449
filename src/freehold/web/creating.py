"""Creations that need no object: the row, its records and its answer by prepared statements (`store.new_rows`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Protocol

from pydantic import BaseModel
from sqlalchemy.exc import StatementError
from starlette.responses import Response

from freehold.store.at_once import Doing, InUnit, alone
from freehold.store.executor import Plan
from freehold.store.fetched import Fetched
from freehold.store.new_rows import NewRows
from freehold.store.outbox import is_heard
from freehold.store.plain_models import Listeners
from freehold.store.prepared import Prepared
from freehold.store.questions import Question
from freehold.store.straight import NotStraight, Straight
from freehold.store.unit import Unit
from freehold.store.ways import NotAtOnce
from freehold.web.bound import Bound
from freehold.web.changes import new_values
from freehold.web.problem_database import refuses_the_write
from freehold.web.steps import Call

Show = Callable[[Straight, Any], Awaitable[Response]]


class Whole(Protocol):
    """What is to be read of a row along with its change, and the answer that this makes."""

    @property
    def plan(self) -> Plan:
        """What is read."""
        ...

    @property
    def key(self) -> str:
        """Of the row, as it is told."""
        ...

    def can_tell(self, row: Mapping[str, Any]) -> bool:
        """Whether a row of these values makes an answer for sure."""
        ...

    def tell(self, rows: Fetched) -> Response:
        """The answer."""
        ...


class Creating:
    """New rows of one resource, where nothing of the application's own has a say in how one is made."""

    def __init__(self, bound: Bound) -> None:
        self._bound = bound
        self._listeners = Listeners(bound.mapper)
        self._event = f"{bound.resource.name}.created"
        resource = bound.resource
        is_own = resource.create is not None or resource.schemas.created is not None
        self._rows = None if is_own else NewRows.of(bound.model)

    def values(self, call: Call, draft: BaseModel) -> Mapping[str, Any] | None:
        """The attributes of the new row; None where it has to be made as an object, or is not plainly allowed."""
        rows, bound, database = self._rows, self._bound, call.parts.database
        if rows is None or self._listeners or is_heard(database.parts, self._event):
            return None
        if bound.links and points_to_others(draft, bound.links):
            return None  # the row that it points to has to be looked at
        if bound.row_rules_for(draft.model_fields_set, call.principal):
            return None
        given = new_values(draft)
        if bound.owner is not None and given.get(bound.owner) is None:
            given[bound.owner] = call.principal.id
        if not rows.has(given.keys()):
            return None
        values = rows.values(given)
        shape = database.scopes.dialect(call.principal, None)[1]
        return values if rows.may_insert(values, shape, call.principal) else None

    async def insert(self, unit: Unit, values: Mapping[str, Any], show: Show, whole: Whole | None) -> Response:
        """Insert it, with its records; what `whole` or `show` answers of it. Raises NotStraight for every error that is about the row.

        An object meets the error again, and knows what was tried.
        """
        assert self._rows is not None
        straight, name = Straight.of_unit(unit), self._bound.key_name
        try:
            if whole is not None and straight.dialect_name == "postgresql":
                with suppress(NotAtOnce):
                    doing = InUnit(unit, straight)
                    return whole.tell(await doing.write(*self._whole(doing, values, whole)))
            await self._rows.insert(unit, straight, self._bound.resource.name, name, values)
            return await show(straight, values[name])
        except StatementError as error:
            if not refuses_the_write(error):
                raise
            raise NotStraight from error

    async def insert_alone(self, call: Call, values: Mapping[str, Any], whole: Whole, *, apart: bool) -> Response:
        """The same as a unit of one statement. apart: see `Alone.write`. Raises NotAtOnce, NotTaken."""
        found = alone(call.parts.database, call.principal, call.request_id)
        if found is None:
            raise NotAtOnce
        return whole.tell(await found.write(*self._whole(found, values, whole), apart=apart))

    def question(self, call: Call, values: Mapping[str, Any], whole: Whole) -> Question | None:
        """The same, to be asked without waiting; None where it has to be waited for. Raises NotAtOnce."""
        found = alone(call.parts.database, call.principal, call.request_id)
        return None if found is None else found.question(*self._whole(found, values, whole))

    def _whole(self, doing: Doing, values: Mapping[str, Any], whole: Whole) -> tuple[Prepared, dict[str, Any]]:
        assert self._rows is not None
        if not whole.can_tell(values):
            raise NotAtOnce
        return self._rows.whole(doing, whole.plan, self._bound.resource.name, whole.key, values)


def points_to_others(sent: BaseModel, links: Collection[str]) -> bool:
    """Whether a field that was sent names another row."""
    return any(name in sent.model_fields_set and getattr(sent, name) is not None for name in links)
