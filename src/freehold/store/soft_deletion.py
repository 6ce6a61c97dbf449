"""Which models have rows that are deleted softly, for sessions whose code deletes rows as it always did."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import DeclarativeBase


@dataclass(frozen=True, slots=True)
class Mark:
    """The attribute that says since when a row is deleted; that of its key; the name of its resource."""

    attribute: str
    key: str
    subject: str


class SoftDeletions(dict[type[DeclarativeBase], Mark]):
    """The marks of the models of an application; a part of its database."""
