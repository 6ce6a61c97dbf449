"""Identity's own tables. Tokens stand in them as hashes only, private keys sealed."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String, Table, Text, Uuid, text

from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.store.ledger import LEDGER

SIGNING_KEYS = Table(
    "freehold_signing_keys",
    LEDGER,
    Column("kid", String(64), primary_key=True),
    Column("state", String(16), nullable=False, comment="next (published), active (signs), retired (verifies)"),
    Column("public_key", LargeBinary, nullable=False, comment="32 bytes, Ed25519"),
    Column("sealed_private_key", LargeBinary, nullable=True, comment="gone once retired"),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("activated_at", UTCDateTime, nullable=True),
    Column("expires_at", UTCDateTime, nullable=True, comment="retired: when its last token is over"),
)
for _state in ("next", "active"):
    _only = text(f"state = '{_state}'")
    Index(
        f"uq_{SIGNING_KEYS.name}_{_state}",
        SIGNING_KEYS.c.state,
        unique=True,
        sqlite_where=_only,
        postgresql_where=_only,
    )

# A log-in on one device: the family of its refresh tokens.
SESSIONS = Table(
    "freehold_sessions",
    LEDGER,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("user_id", Uuid, nullable=False, index=True),
    Column("scope", Text, nullable=True, comment="null: unrestricted"),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now, comment="when the password was given"),
    Column("last_used_at", UTCDateTime, nullable=False, default=clock.now),
    Column("expires_at", UTCDateTime, nullable=False, comment="the absolute end"),
    Column("ended_at", UTCDateTime, nullable=True),
    Column("ended_by", String(32), nullable=True, comment="logout, password, reuse, account, staff"),
    Column("address", String(64), nullable=False, default=""),
    Column("address_key", String(64), nullable=False, default="", comment="what limits count: IPv4, or the /64"),
    Column("user_agent", String(200), nullable=False, default=""),
    Column("authenticated_at", UTCDateTime, nullable=True, comment="the last proof of who they are; null: created_at"),
    Column("amr", String(64), nullable=True, comment="how (RFC 8176), separated by spaces; null: pwd"),
)

# A log-in of staff in the account of somebody else.
IMPERSONATIONS = Table(
    "freehold_impersonations",
    LEDGER,
    Column("session_id", Uuid, ForeignKey(SESSIONS.c.id, ondelete="CASCADE"), primary_key=True),
    Column("actor_id", Uuid, nullable=False, index=True, comment="who acts"),
)

# A log-in of a browser: what its cookie holds, as a hash. One value at a time is good.
BROWSER_SESSIONS = Table(
    "freehold_browser_sessions",
    LEDGER,
    Column("value_hash", LargeBinary, primary_key=True),
    Column("session_id", Uuid, ForeignKey(SESSIONS.c.id, ondelete="CASCADE"), nullable=False, unique=True),
    Column("changed_at", UTCDateTime, nullable=False, default=clock.now, comment="when the cookie got this value"),
)

REFRESH_TOKENS = Table(
    "freehold_refresh_tokens",
    LEDGER,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("session_id", Uuid, ForeignKey(SESSIONS.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("expires_at", UTCDateTime, nullable=False, comment="the idle end, never past the absolute one"),
    Column("used_at", UTCDateTime, nullable=True),
    Column("successor_hash", LargeBinary, nullable=True),
    Column("sealed_answer", LargeBinary, nullable=True, comment="for a retry within the grace window"),
)

# Links sent by mail: verification, reset, log-in. The newest of a purpose is the only one.
ONE_TIME_TOKENS = Table(
    "freehold_one_time_tokens",
    LEDGER,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("email_key", String(960), nullable=False, comment="it proves this address and no later one"),
    Column(
        "payload",
        String(320),
        nullable=True,
        # As in the history of the schema, which a second meaning is no reason to lengthen: of a log-in, the browser.
        comment="the address as written, of a change of address",
    ),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("expires_at", UTCDateTime, nullable=False),
)
Index("uq_freehold_one_time_tokens_owner", ONE_TIME_TOKENS.c.user_id, ONE_TIME_TOKENS.c.purpose, unique=True)
