"""`Base`: the columns that every resource has, and the types that read the same on both databases."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Dialect, MetaData, String, TypeDecorator, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, registry
from uuid_utils.compat import uuid7

from freehold.resource import clock

NAMING: dict[str, str] = {
    # Every constraint has a name, or Alembic's batch mode drops unnamed CHECKs on SQLite.
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
# In the `info` of a metadata: the registry in which the models of its tables are found by name.
_NAMES = "fh_names"
IS_ROW_VERSION = "fh_row_version"
"""In the `info` of the column that counts the changes of a row."""


def new_id() -> UUID:
    """A new UUID version 7: sorts by creation, in this process strictly."""
    return uuid7()


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. Aware in Python, UTC in the database; SQLite alone would lose the zone.

    A naive value is refused with ValueError: it names no instant.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; SQLite stores it without an offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime names no instant: give it a time zone")
        if value.tzinfo is not UTC:
            try:
                value = value.astimezone(UTC)
            except OverflowError:
                raise ValueError("the instant is outside the years 1 to 9999 in UTC") from None
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware instant in UTC."""
        if value is None:
            return None
        if value.tzinfo is UTC:
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def plural(name: str) -> str:
    """English plural of a snake_case word: `entry` -> `entries`, `box` -> `boxes`."""
    if re.search(r"[^aeiou]y$", name):
        return name[:-1] + "ies"
    if re.search(r"(s|x|z|ch|sh)$", name):
        return name + "es"
    return name + "s"


def snake(name: str) -> str:
    """`PropertyDraft` -> `property_draft`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class Base(DeclarativeBase):
    """The base of resources: `id` (UUIDv7), `created_at`, `updated_at`, and the row version behind the ETag.

    The table is named by the plural of the class in snake_case; set `__tablename__` for another name.
    The version counts up with every flush of a change and makes a lost update an error. An abstract subclass with a
    `metadata` of its own is a base of its own: its tables and the class names of its relationships are looked up there.
    """

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UTCDateTime(),
        UUID: Uuid(),
        str: String(),
    }

    def __init_subclass__(cls, **options: Any) -> None:
        if cls.__dict__.get("__abstract__") and "metadata" in cls.__dict__:
            names = cls.metadata.info.get(_NAMES) or registry(
                metadata=cls.metadata, type_annotation_map=cls.type_annotation_map
            )
            cls.registry = cls._sa_registry = cls.metadata.info[_NAMES] = names
        super().__init_subclass__(**options)

    @declared_attr.directive
    @classmethod
    def __tablename__(cls) -> str:
        return plural(snake(cls.__name__))

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.row_version} if "__table__" in cls.__dict__ else {}

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-10)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True, sort_order=90)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now, sort_order=91)
    row_version: Mapped[int] = mapped_column(default=1, sort_order=92, info={IS_ROW_VERSION: True})


Base.metadata.info[_NAMES] = Base.registry
