"""Organisations and who belongs to them: tables that access rules look at.

What an organisation is for, and how one joins it, is identity's; that rules may ask `member(…)` is the store's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, ForeignKey, Index, Select, String, Table, Uuid, select

from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.store.ledger import LEDGER

ORGANISATIONS = Table(
    "freehold_organisations",
    LEDGER,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("name", String(200), nullable=False),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("closed_at", UTCDateTime, nullable=True, comment="the row stays: others' records name it"),
)

MEMBERSHIPS = Table(
    "freehold_memberships",
    LEDGER,
    Column("organisation_id", Uuid, ForeignKey(ORGANISATIONS.c.id, ondelete="CASCADE"), primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    Column("role", String(64), nullable=False),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    # A rule asks for the organisations of one caller: the answer lies in the index.
    Index("ix_freehold_memberships_user", "user_id", "organisation_id", "role"),
)


def organisations_of(user_id: ColumnElement[UUID], held: Sequence[str]) -> Select[Any]:
    """The ids of the organisations that a user belongs to. held: only those in which their role is one of these.

    A query of its own and not one for each row: a database asks it once for a statement, and may begin with it.
    """
    found = select(MEMBERSHIPS.c.organisation_id).where(MEMBERSHIPS.c.user_id == user_id)
    return found.where(MEMBERSHIPS.c.role.in_(held)) if held else found
