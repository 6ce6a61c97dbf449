"""Changes that need no object: the row, its records and its answer by prepared statements (`store.changed_rows`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from pydantic import BaseModel
from sqlalchemy.exc import StatementError
from starlette.responses import Response

from freehold.resource.merge import changed_values, has_checks, recheck
from freehold.store.changed_rows import ChangedRows
from freehold.store.outbox import is_heard
from freehold.store.plain_models import is_listened_to
from freehold.store.straight import NotStraight, Straight
from freehold.store.unit import Unit
from freehold.web.bound import Bound
from freehold.web.preconditions import check_match
from freehold.web.problem_database import refuses_the_write
from freehold.web.steps import Call


class Changing:
    """Changes of rows of one resource, where nothing of the application's own has a say in how one is made."""

    def __init__(self, bound: Bound) -> None:
        self._bound = bound
        resource = bound.resource
        is_own = resource.update is not None or resource.turnstile is not None
        self._rows = None if is_own else ChangedRows.of(bound.model, bound.rule("update"))
        if has_checks(bound.create_schema) and not (self._rows and self._rows.has(bound.create_schema.model_fields)):
            self._rows = None  # what is checked together is more than columns

    def can(self, call: Call, changes: BaseModel) -> bool:
        """Whether these changes need no object."""
        rows, bound, sent = self._rows, self._bound, changes.model_fields_set
        if (
            rows is None
            or is_listened_to(bound.mapper)
            or is_heard(call.parts.database.parts, f"{bound.resource.name}.updated")
        ):
            return False
        if any(getattr(changes, name) is not None for name in sent & bound.links.keys()):
            return False  # the row that it points to has to be looked at
        return rows.has(sent) and not bound.row_rules_for(sent, call.principal)

    async def change(
        self, call: Call, unit: Unit, key: Any, changes: BaseModel, show: Callable[[Straight], Awaitable[Response]]
    ) -> Response:
        """Change it, with its records; what `show` answers. Raises NotStraight for every error that is about the row, too.

        An object meets the error again, and knows what was tried.
        """
        rows, bound = self._rows, self._bound
        assert rows is not None
        straight = Straight.of_unit(unit)
        try:
            row = await rows.load(straight, key)
            seen = SimpleNamespace(**row)
            check_match(call.headers, version=bound.version_of(seen), required=bound.resource.require_if_match)
            values = changed_values(seen, changes)
            recheck(bound.create_schema, seen, values)
            changed = rows.changed(straight, row, values)
            await rows.change(unit, straight, bound.resource.name, row, changed)
            return await show(straight)
        except StatementError as error:
            if not refuses_the_write(error):
                raise
            raise NotStraight from error
