"""Invitations that wait for an answer. Organisations and memberships are the store's, for rules look at them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String, Table, Uuid

from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.store.ledger import LEDGER
from freehold.store.memberships import ORGANISATIONS

INVITATIONS = Table(
    "freehold_invitations",
    LEDGER,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("organisation_id", Uuid, ForeignKey(ORGANISATIONS.c.id, ondelete="CASCADE"), nullable=False),
    Column("email", String(320), nullable=False),
    Column("email_key", String(960), nullable=False),
    Column("role", String(64), nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("invited_by", Uuid, nullable=False),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("expires_at", UTCDateTime, nullable=False),
    # A second invitation of an address takes the place of the first.
    Index("uq_freehold_invitations_address", "organisation_id", "email_key", unique=True),
)
