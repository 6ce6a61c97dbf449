"""Which relationships one lookup by key can serve, and which stop the start."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, MetaData, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold.errors import ConfigurationError
from freehold.resource.base import NAMING, Base
from freehold.store.plan_expand import relation


class Local(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


odd_links = Table(
    "expand_links",
    Local.metadata,
    Column("left_id", ForeignKey("expand_lefts.id"), primary_key=True),
    Column("right_code", ForeignKey("expand_rights.code"), primary_key=True),
)


class ExpandRight(Local):
    code: Mapped[int] = mapped_column(unique=True)


class ExpandPair(Base):
    __abstract__ = True
    metadata = Local.metadata


class ExpandDouble(ExpandPair):
    __mapper_args__ = {}  # noqa: RUF012 (SQLAlchemy's own name; a version column needs a single key)
    other: Mapped[int] = mapped_column(primary_key=True)


class ExpandLeft(Local):
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("expand_lefts.id"))
    double_id: Mapped[UUID | None]
    double_other: Mapped[int | None]
    parent: Mapped[ExpandLeft | None] = relationship(remote_side="ExpandLeft.id", back_populates="children")
    children: Mapped[list[ExpandLeft]] = relationship(back_populates="parent")
    double: Mapped[ExpandDouble | None] = relationship()
    rights: Mapped[list[ExpandRight]] = relationship(secondary=odd_links)
    young: Mapped[list[ExpandLeft]] = relationship(
        primaryjoin="and_(ExpandLeft.id == foreign(remote(ExpandLeft.parent_id)), remote(ExpandLeft.double_other) > 1)",
        viewonly=True,
    )
    __table_args__ = (
        ForeignKeyConstraint(["double_id", "double_other"], ["expand_doubles.id", "expand_doubles.other"]),
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("double", "no single primary key column"),
        ("rights", "does not point to the primary key"),
        ("young", "more than one column"),
    ],
)
def test_a_relationship_that_no_lookup_serves_stops_the_start(name, why):
    with pytest.raises(ConfigurationError, match=rf"ExpandLeft\.{name}, which cannot be expanded: .*{why}"):
        relation(ExpandLeft, name)


def test_a_table_may_point_to_itself():
    up, down = relation(ExpandLeft, "parent"), relation(ExpandLeft, "children")
    assert (up.local.name, up.remote.name, up.many) == ("parent_id", "id", False)
    assert (down.local.name, down.remote.name, down.many) == ("id", "parent_id", True)
