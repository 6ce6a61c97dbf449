"""Creations that need no object: the row, its records and its answer by prepared statements (`store.new_rows`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import BaseModel
from sqlalchemy.exc import StatementError
from starlette.responses import Response

from freehold.store.new_rows import NewRows
from freehold.store.outbox import is_heard
from freehold.store.plain_models import is_listened_to
from freehold.store.straight import NotStraight, Straight
from freehold.store.unit import Unit
from freehold.web.bound import Bound
from freehold.web.changes import new_values
from freehold.web.problem_database import refuses_the_write
from freehold.web.steps import Call

Show = Callable[[Straight, Any], Awaitable[Response]]


class Creating:
    """New rows of one resource, where nothing of the application's own has a say in how one is made."""

    def __init__(self, bound: Bound) -> None:
        self._bound = bound
        resource = bound.resource
        is_own = resource.create is not None or resource.schemas.created is not None
        self._rows = None if is_own else NewRows.of(bound.model)

    def values(self, call: Call, draft: BaseModel) -> Mapping[str, Any] | None:
        """The attributes of the new row; None where it has to be made as an object, or is not plainly allowed."""
        rows, bound, database = self._rows, self._bound, call.parts.database
        if rows is None or is_listened_to(bound.mapper) or is_heard(database.parts, f"{bound.resource.name}.created"):
            return None
        if any(getattr(draft, name) is not None for name in draft.model_fields_set & bound.links.keys()):
            return None  # the row that it points to has to be looked at
        if bound.row_rules_for(draft.model_fields_set, call.principal):
            return None
        given = new_values(draft)
        if bound.owner is not None and given.get(bound.owner) is None:
            given[bound.owner] = call.principal.id
        if not rows.has(given):
            return None
        values = rows.values(given)
        shape = database.scopes.dialect(call.principal, None)[1]
        return values if rows.may_insert(values, shape, call.principal) else None

    async def insert(self, unit: Unit, values: Mapping[str, Any], show: Show) -> Response:
        """Insert it, with its records; what `show` answers of it. Raises NotStraight for every error that is about the row.

        An object meets the error again, and knows what was tried.
        """
        assert self._rows is not None
        straight, name = Straight.of_unit(unit), self._bound.key_name
        try:
            await self._rows.insert(unit, straight, self._bound.resource.name, name, values)
            return await show(straight, values[name])
        except StatementError as error:
            if not refuses_the_write(error):
                raise
            raise NotStraight from error
