"""Where rows go to: what an importer asks of a resource. `web` answers with the resource's own operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel

from freehold.errors import Problem
from freehold.resource.importing import Importing
from freehold.resource.principal import Principal
from freehold.store.session import Session
from freehold.transfer.cells import JsonTypes


class Target(Protocol):
    """One resource."""

    name: str
    key_name: str
    declared: Importing

    @property
    def taken(self) -> Mapping[str, JsonTypes]:
        """The fields of the create schema, with the JSON types that they take."""
        ...

    @property
    def shown(self) -> frozenset[str]:
        """Further fields that a read shows, such as the id: an export holds them, and nobody sends them."""
        ...

    def check(self, principal: Principal, key: Sequence[str]) -> None:
        """Raise where this caller may not import at all, or the key names no column."""
        ...

    def parse(self, data: bytes) -> Any:
        """JSON, as strictly as a request body. Raises Problem."""
        ...

    def draft(self, values: Mapping[str, Any], *, partial: bool) -> BaseModel:
        """The fields, as judged by the create schema, or by the update schema where they are part of a row. Raises Problem."""
        ...

    def key_of(self, name: str, value: Any) -> Any:
        """A value of the primary key, read from its text. Raises NotFound for one that is none."""
        ...

    async def look(self, principal: Principal, draft: BaseModel) -> None:
        """What the resource does with what was sent before a unit begins. Raises Problem."""
        ...

    async def standing(self, db: Session, key: Sequence[str], wanted: Sequence[tuple[Any, ...]]) -> dict[Any, Any]:
        """The rows that have one of these keys, by key, locked until the unit ends."""
        ...

    async def create(self, db: Session, draft: BaseModel) -> Any:
        """Make a row as POST does; not yet flushed."""
        ...

    async def update(self, db: Session, row: Any, draft: BaseModel, values: Mapping[str, Any]) -> bool:
        """Change a row as PATCH does, in what differs. False: nothing does."""
        ...

    async def tell(self, db: Session, what: str, rows: Sequence[Any]) -> None:
        """Leave the trail and the events of rows that were flushed."""
        ...

    async def explain(self, error: Exception, principal: Principal) -> Problem:
        """The refusal behind an error of the database."""
        ...


class Targets(dict[str, Target]):
    """What can be imported into, by the name of the resource; a part of the database of an application."""
