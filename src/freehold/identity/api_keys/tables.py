"""Keys as they are stored: the part that finds one, and the hash of the whole."""

from __future__ import annotations

from sqlalchemy import JSON, Column, LargeBinary, String, Table, Text, Uuid

from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.store.ledger import LEDGER

API_KEYS = Table(
    "freehold_api_keys",
    LEDGER,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column(
        "prefix",
        String(16),
        nullable=False,
        unique=True,
        comment="fh_ and ten characters; finds the key, opens nothing",
    ),
    Column("key_hash", LargeBinary, nullable=False),
    Column("name", String(100), nullable=False),
    Column("owner_id", Uuid, nullable=True, index=True, comment="whose it is; null: the service's"),
    Column("maker_id", Uuid, nullable=True, comment="who made it; null: by the command line"),
    Column("roles", JSON, nullable=False, comment="of a key of the service; a personal one has its owner's"),
    Column("scopes", Text, nullable=False, default="", comment="separated by spaces"),
    Column("address_ranges", JSON, nullable=False, comment="CIDR; none: from anywhere"),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("expires_at", UTCDateTime, nullable=False),
    Column("last_used_at", UTCDateTime, nullable=True, comment="to the minute"),
    Column("revoked_at", UTCDateTime, nullable=True),
    Column("replaced_by", Uuid, nullable=True, comment="the key that a rotation made"),
)
