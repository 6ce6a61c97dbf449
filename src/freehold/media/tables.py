"""Freehold's own tables of media: uploads that have been begun, and signed addresses that were used."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, LargeBinary, Table, Text, Uuid

from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.store.ledger import LEDGER

UPLOADS = Table(
    "freehold_uploads",
    LEDGER,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("owner_id", Uuid, nullable=False, index=True),
    Column("form", JSON, nullable=False, comment="the fields beside the file, as they were sent"),
    Column("filename", Text, nullable=True),
    Column("declared_type", Text, nullable=True),
    Column("size_bytes", BigInteger, nullable=True, comment="null: not said yet"),
    Column("offset_bytes", BigInteger, nullable=False, default=0),
    Column("pieces", JSON, nullable=False, default=list, comment="keys of the objects that make up the file, in order"),
    Column("medium_id", Uuid, nullable=False, comment="the file that it becomes"),
    Column("state", Text, nullable=False, default="open", comment="open, done, refused"),
    Column("failure", JSON, nullable=True, comment="status, code and detail of a refusal"),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("expires_at", UTCDateTime, nullable=False, index=True),
)

USED_ADDRESSES = Table(
    "freehold_used_addresses",
    LEDGER,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("ends_at", UTCDateTime, nullable=False, index=True, comment="after it the address is refused anyway"),
)
