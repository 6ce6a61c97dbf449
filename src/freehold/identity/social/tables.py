"""Identities at other providers, and log-ins by them that are under way. States and cookies stand here as hashes only."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, LargeBinary, String, Table, Text, Uuid

from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.store.ledger import LEDGER

LINKED_IDENTITIES = Table(
    "freehold_linked_identities",
    LEDGER,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("user_id", Uuid, nullable=False, index=True),
    Column("provider", String(64), nullable=False, comment="as the service calls it"),
    Column("issuer", String(500), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("email", String(320), nullable=True, comment="as it was said when linked; for people to tell them apart"),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("last_used_at", UTCDateTime, nullable=True),
    Index("uq_freehold_linked_identities_subject", "issuer", "subject", unique=True),
)

LOGIN_ATTEMPTS = Table(
    "freehold_login_attempts",
    LEDGER,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("state_hash", LargeBinary, nullable=True, unique=True, comment="null: the callback has come"),
    Column("browser_hash", LargeBinary, nullable=False, unique=True),
    Column("provider", String(64), nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="nonce and verifier, under the state"),
    Column("return_to", Text, nullable=False),
    Column("registration", JSON(none_as_null=True), nullable=True, comment="what a new account is to have"),
    Column("user_id", Uuid, nullable=True, comment="whose account is to be linked"),
    Column("session_id", Uuid, nullable=True, comment="the log-in that asked for it"),
    Column("granted_user_id", Uuid, nullable=True, comment="who may come in with this browser"),
    Column("expires_at", UTCDateTime, nullable=False, index=True),
)
