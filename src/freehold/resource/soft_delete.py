"""Soft deletion: a row that is deleted stays, out of sight, until somebody whom a rule names brings it back.

The column takes part in the read rule itself, so that every statement of a caller hides deleted rows, also one that
forgets them. System scope sees every row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from sqlalchemy import DateTime, inspect
from sqlalchemy.orm import DeclarativeBase

from freehold.errors import ConfigurationError
from freehold.resource.access import Access, Rule, nobody, where
from freehold.resource.base import UTCDateTime
from freehold.resource.inputs import stored_type


@dataclass(frozen=True, slots=True)
class Restoration:
    """How a deleted row comes back. function: `(db, actor, row)`, called while the row is still deleted."""

    access: Rule
    function: Callable[..., Any] | None = None
    summary: str | None = None
    problems: Sequence[type[Exception]] = ()


def without_deleted(model: type[DeclarativeBase], name: str, access: Access) -> Access:
    """The access rules with deleted rows out of the read rule."""
    if not hasattr(model, name):
        _refuse(model, name)
    if access.read == nobody:
        return access
    return replace(access, read=where(getattr(model, name).is_(None)) & access.read)


def deleted_rows(model: type[DeclarativeBase], name: str, rule: Rule) -> Rule:
    """The deleted rows for which `rule` holds."""
    return where(getattr(model, name).is_not(None)) & rule


def check(model: type[DeclarativeBase], name: str) -> None:
    """Raise ConfigurationError for a column that cannot say when a row was deleted. Once all models are there."""
    attribute = inspect(model).column_attrs.get(name)
    if attribute is None or not getattr(attribute.columns[0], "nullable", False):
        _refuse(model, name)
    if not isinstance(stored_type(attribute.columns[0].type), UTCDateTime | DateTime):
        _refuse(model, name)


def _refuse(model: type[DeclarativeBase], name: str) -> NoReturn:
    raise ConfigurationError(
        f"soft_delete={name!r}: {model.__name__} needs the column {name}: Mapped[datetime | None], NULL while the row is there"
    )
