"""The provider's own tables. Secrets, codes and handles stand in them as hashes only."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, Text, Uuid

from freehold.identity.tables import SESSIONS
from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.store.ledger import LEDGER


def _of_client(*, primary_key: bool = False) -> Column[object]:
    """A row that goes with its client."""
    owner = ForeignKey("freehold_oauth_clients.id", ondelete="CASCADE")
    return Column("client_id", Uuid, owner, primary_key=primary_key, nullable=False, index=True)


CLIENTS = Table(
    "freehold_oauth_clients",
    LEDGER,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("name", String(200), nullable=False, comment="as people read it on the consent page"),
    Column("is_public", Boolean, nullable=False, comment="cannot keep a secret: a browser or device application"),
    Column("secret_hash", LargeBinary, nullable=True),
    Column("former_secret_hash", LargeBinary, nullable=True),
    Column("former_secret_until", UTCDateTime, nullable=True),
    Column("jwks", JSON, nullable=True, comment="its public keys, where it proves itself by private_key_jwt"),
    Column("redirect_uris", JSON, nullable=False),
    Column("post_logout_redirect_uris", JSON, nullable=False),
    Column("back_channel_logout_uri", Text, nullable=True),
    Column("scopes", JSON, nullable=False, comment="those that it may ask for"),
    Column("grants", JSON, nullable=False),
    Column("account_id", Uuid, nullable=True, comment="whom it acts as on its own: client_credentials"),
    Column("requires_pushed", Boolean, nullable=False, comment="authorization requests by PAR alone"),
    Column("requires_proof", Boolean, nullable=False, comment="tokens bound to a key (DPoP) alone"),
    Column("introspects_all", Boolean, nullable=False, comment="a resource server: sees the tokens of every client"),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
)

CODES = Table(
    "freehold_oauth_codes",
    LEDGER,
    Column("code_hash", LargeBinary, primary_key=True),
    _of_client(),
    Column("user_id", Uuid, nullable=False),
    Column("login_id", Uuid, nullable=True, comment="the log-in of the browser that allowed it"),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("nonce", Text, nullable=True),
    Column("challenge", String(43), nullable=False, comment="S256 (RFC 7636)"),
    Column("key_thumbprint", String(43), nullable=True, comment="dpop_jkt (RFC 9449 10)"),
    Column("authenticated_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False, index=True),
    Column("session_id", Uuid, nullable=True, comment="set when it was used: what it gave"),
)

# What a client holds of a user: a row of freehold_sessions, whose refresh tokens rotate like those of any log-in.
GRANTS = Table(
    "freehold_oauth_grants",
    LEDGER,
    Column("session_id", Uuid, ForeignKey(SESSIONS.c.id, ondelete="CASCADE"), primary_key=True),
    _of_client(),
    Column("login_id", Uuid, nullable=True, index=True, comment="the log-in of the browser, for the end of both"),
    Column("key_thumbprint", String(43), nullable=True, comment="of the key that its tokens are bound to"),
)

CONSENTS = Table(
    "freehold_oauth_consents",
    LEDGER,
    Column("user_id", Uuid, primary_key=True),
    _of_client(primary_key=True),
    Column("scope", Text, nullable=False),
    Column("given_at", UTCDateTime, nullable=False),
)

PUSHED = Table(
    "freehold_oauth_pushed_requests",
    LEDGER,
    Column("uri_hash", LargeBinary, primary_key=True),
    _of_client(),
    Column("parameters", JSON, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False, index=True),
)

DEVICES = Table(
    "freehold_oauth_devices",
    LEDGER,
    Column("device_hash", LargeBinary, primary_key=True),
    Column("user_code", String(8), nullable=False, unique=True),
    _of_client(),
    Column("scope", Text, nullable=False),
    Column("state", String(8), nullable=False, comment="waiting, allowed, denied"),
    Column("user_id", Uuid, nullable=True),
    Column("login_id", Uuid, nullable=True),
    Column("authenticated_at", UTCDateTime, nullable=True),
    Column("interval_seconds", Integer, nullable=False),
    Column("polled_at", UTCDateTime, nullable=True),
    Column("expires_at", UTCDateTime, nullable=False, index=True),
)

# Identifiers (jti) of assertions and proofs that were used, for as long as they could be used again.
SEEN = Table(
    "freehold_oauth_seen",
    LEDGER,
    Column("digest", LargeBinary, primary_key=True),
    Column("expires_at", UTCDateTime, nullable=False, index=True),
)
