"""What an importer asks of a resource, answered by the resource's own operations and rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import orjson
from pydantic import BaseModel
from sqlalchemy import select, tuple_
from sqlalchemy.exc import DBAPIError

from freehold.errors import ConfigurationError, Problem
from freehold.resource.importing import Importing
from freehold.resource.merge import changed_values
from freehold.resource.principal import Principal
from freehold.resource.signatures import wants_principal
from freehold.store.session import Session
from freehold.transfer.cells import JsonTypes, json_types
from freehold.web import body as bodies
from freehold.web.bound import Bound
from freehold.web.changes import change_row, create_row
from freehold.web.execution import explained
from freehold.web.guard import require
from freehold.web.problem_translation import to_problem
from freehold.web.rows import load_for_change
from freehold.web.runtime import Runtime
from freehold.web.trail import leave_trails


class ResourceTarget:
    """A `Target`: rows are judged by the schemas and rules of the resource, and written by its functions."""

    def __init__(self, bound: Bound, parts: Runtime) -> None:
        self.name = bound.resource.name
        self.key_name = bound.key_name
        self.declared: Importing = bound.resource.imported_by
        self._bound = bound
        self._parts = parts
        self._check_declaration()

    @cached_property
    def taken(self) -> Mapping[str, JsonTypes]:
        """See `Target`."""
        return json_types(self._bound.create_schema.model_json_schema())

    @cached_property
    def shown(self) -> frozenset[str]:
        """See `Target`: what an export holds and nobody sends, such as the id."""
        return frozenset(self._bound.read_schema.model_fields) - self.taken.keys()

    def check(self, principal: Principal, key: Sequence[str]) -> None:
        """See `Target`."""
        self._check_key(key)
        if self._bound.resource.prepare is not None:
            raise ConfigurationError(
                f"{self.name}: its rows are prepared one by one before their transaction: send them in"
            )
        if not principal.is_system:
            require(self._bound.rule("create"), principal)
            return
        resource = self._bound.resource
        if any(each is not None and not wants_principal(each) for each in (resource.create, resource.update)):
            raise ConfigurationError(
                f"{self.name}: its own functions ask for the caller's account: import as somebody (--as EMAIL)"
            )
        owner = self._bound.owner
        if owner is None or resource.create is not None or owner in self.taken:
            return
        if not self._bound.mapper.column_attrs[owner].columns[0].nullable:
            raise ConfigurationError(f"{self.name}: a row belongs to somebody ({owner}): import as one (--as EMAIL)")

    def _check_declaration(self) -> None:
        self._check_key(self.declared.key)
        fields = self._bound.create_schema.model_fields
        for name in self.declared.columns:
            if name not in fields:
                raise ConfigurationError(
                    f"{self.name}: imports(columns=...) fills {name!r}, which is no field of "
                    f"{self._bound.create_schema.__name__}; it has {', '.join(fields)}"
                )

    def _check_key(self, key: Sequence[str]) -> None:
        columns = self._bound.mapper.column_attrs
        for name in key:
            if name not in columns:
                raise ConfigurationError(
                    f"{self.name}: rows cannot be known by {name!r}, which {self._bound.model.__name__} lacks; "
                    f"it has {', '.join(columns.keys())}"
                )
            if name != self.key_name and name not in self._bound.create_schema.model_fields:
                raise ConfigurationError(
                    f"{self.name}: rows cannot be known by {name!r}, which {self._bound.create_schema.__name__} does not take"
                )

    def parse(self, data: bytes) -> Any:
        """See `Target`."""
        return bodies.parse(data)

    def draft(self, values: Mapping[str, Any], *, partial: bool) -> BaseModel:
        """See `Target`."""
        raw = orjson.dumps(values)
        bodies.parse(raw)
        schema = self._bound.update_schema if partial else self._bound.create_schema
        return bodies.validate(schema, raw)

    def key_of(self, name: str, value: Any) -> Any:
        """See `Target`."""
        return self._bound.parse_key(str(value))

    async def look(self, principal: Principal, draft: BaseModel) -> None:
        """See `Target`."""
        if self._bound.resource.prepare is not None:
            await self._bound.resource.prepare(self._parts.database, principal, draft)

    async def standing(self, db: Session, key: Sequence[str], wanted: Sequence[tuple[Any, ...]]) -> dict[Any, Any]:
        """See `Target`. Locked in the order of their keys, so that two imports of the same rows do not deadlock.

        Without deleted rows, which the system sees.
        """
        bound = self._bound
        columns = [getattr(bound.model, name) for name in key]
        known = columns[0].in_([value for (value,) in wanted]) if len(key) == 1 else tuple_(*columns).in_(wanted)
        statement = select(bound.model).where(known).order_by(bound.key).with_for_update(of=bound.model, key_share=True)
        if bound.resource.soft_delete is not None:
            statement = statement.where(getattr(bound.model, bound.resource.soft_delete).is_(None))
        rows = await db.scalars(statement.execution_options(populate_existing=True))
        return {tuple(getattr(row, name) for name in key): row for row in rows}

    async def create(self, db: Session, draft: BaseModel) -> Any:
        """See `Target`."""
        self._refuse_fields(db.principal, draft)
        return await create_row(db, self._parts, self._bound, draft)

    async def update(self, db: Session, row: Any, draft: BaseModel, values: Mapping[str, Any]) -> bool:
        """See `Target`."""
        bound = self._bound
        known = bound.mapper.column_attrs
        differing = [
            name
            for name, value in changed_values(row, draft).items()
            if name in known and getattr(row, name) != value and name in values
        ]
        if not differing:
            return False
        changes = self.draft({name: values[name] for name in differing}, partial=True)
        if not db.principal.is_system:
            self._refuse_fields(db.principal, changes)
            fields = bound.row_rules_for(changes.model_fields_set, db.principal)
            row = await load_for_change(db, bound, getattr(row, bound.key_name), bound.rule("update"), fields=fields)
        await change_row(db, self._parts, bound, row, changes)
        return True

    async def tell(self, db: Session, what: str, rows: Sequence[Any]) -> None:
        """See `Target`."""
        if rows:
            await leave_trails(db, self._bound, what, rows)

    async def explain(self, error: Exception, principal: Principal) -> Problem:
        """See `Target`."""
        if isinstance(error, DBAPIError):
            error = await explained(self._parts, principal, error)
        return to_problem(error)

    def _refuse_fields(self, principal: Principal, draft: BaseModel) -> None:
        if not principal.is_system:
            self._bound.refuse_fields(draft.model_fields_set, principal)
