"""Freehold's own tables of imports: how far each has come, and what was said of rows."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, Table, Text, Uuid

from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.store.ledger import LEDGER

IMPORTS = Table(
    "freehold_imports",
    LEDGER,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("resource", Text, nullable=False),
    Column("fingerprint", Text, nullable=False, index=True, comment="of the file, what is done with it, and as whom"),
    Column("principal_id", Uuid, nullable=True, comment="null: the system"),
    Column("is_dry", Boolean, nullable=False),
    Column("is_done", Boolean, nullable=False, default=False),
    Column("records", Integer, nullable=False, default=0, comment="of the file, that have been dealt with"),
    Column("counts", JSON, nullable=False, comment="of records, by what became of them"),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("updated_at", UTCDateTime, nullable=False, default=clock.now, onupdate=clock.now, index=True),
)

IMPORT_REMARKS = Table(
    "freehold_import_remarks",
    LEDGER,
    Column("import_id", Uuid, ForeignKey("freehold_imports.id", ondelete="CASCADE"), primary_key=True),
    Column("line", Integer, primary_key=True, comment="where the record begins, from 1"),
    Column("number", Integer, primary_key=True, comment="of the remarks of one record"),
    Column("column", Text, nullable=False, comment="empty: the whole record"),
    Column("message", Text, nullable=False),
    Column("is_refusal", Boolean, nullable=False),
)
