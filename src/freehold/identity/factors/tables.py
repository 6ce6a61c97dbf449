"""The tables of second factors. Secrets stand in them sealed, codes and tokens as hashes only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, String, Table, Text, Uuid

from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.store.ledger import LEDGER

TOTP_SECRETS = Table(
    "freehold_totp_secrets",
    LEDGER,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("user_id", Uuid, nullable=False, unique=True, comment="one for an account"),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("name", String(60), nullable=False, default=""),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("confirmed_at", UTCDateTime, nullable=True, comment="null: not proved by a code yet, and no factor"),
    Column("last_used_at", UTCDateTime, nullable=True),
    Column("last_counter", BigInteger, nullable=True, comment="of the newest code that was taken"),
)

PASSKEYS = Table(
    "freehold_passkeys",
    LEDGER,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("user_id", Uuid, nullable=False, index=True),
    Column("credential_id", LargeBinary, nullable=False, unique=True, comment="at most 1,023 bytes"),
    Column("public_key", LargeBinary, nullable=False, comment="COSE (RFC 9052)"),
    Column("sign_count", BigInteger, nullable=False, comment="0 for a synced one, for good"),
    Column("transports", Text, nullable=False, default="", comment="a hint for browsers, separated by spaces"),
    Column("is_backed_up", Boolean, nullable=False, comment="synced to other devices of its owner"),
    Column("name", String(60), nullable=False, default=""),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("last_used_at", UTCDateTime, nullable=True),
)

RECOVERY_CODES = Table(
    "freehold_recovery_codes",
    LEDGER,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("user_id", Uuid, nullable=False, index=True),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
)

# A log-in that wants one more proof.
LOGIN_STEPS = Table(
    "freehold_login_steps",
    LEDGER,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("user_id", Uuid, nullable=True, index=True, comment="null: a passkey will say who it is"),
    Column("session_id", Uuid, nullable=True, comment="of a log-in that is to be made stronger; null: a new one"),
    Column("scope", Text, nullable=True, comment="null: unrestricted"),
    Column("amr", String(64), nullable=False, comment="what is proved already"),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("expires_at", UTCDateTime, nullable=False, index=True),
)

# What a passkey is to sign: the newest of a holder and purpose, good once.
CHALLENGES = Table(
    "freehold_passkey_challenges",
    LEDGER,
    Column("holder", LargeBinary, primary_key=True, comment="of a log-in, or the hash of a step token"),
    Column("purpose", String(16), primary_key=True, comment="registration, login"),
    Column("challenge", LargeBinary, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False, index=True),
)
