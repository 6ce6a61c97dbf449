"""oauth provider

Revision: eb6a7a96af80
Revises: e2b94c715d08
Created: 2026-11-22 01:33:07.804925
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "eb6a7a96af80"
down_revision = "e2b94c715d08"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_oauth_clients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False, comment="as people read it on the consent page"),
        sa.Column(
            "is_public", sa.Boolean(), nullable=False, comment="cannot keep a secret: a browser or device application"
        ),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=True),
        sa.Column("former_secret_hash", sa.LargeBinary(), nullable=True),
        sa.Column("former_secret_until", UTCDateTime(), nullable=True),
        sa.Column(
            "jwks", sa.JSON(), nullable=True, comment="its public keys, where it proves itself by private_key_jwt"
        ),
        sa.Column("redirect_uris", sa.JSON(), nullable=False),
        sa.Column("post_logout_redirect_uris", sa.JSON(), nullable=False),
        sa.Column("back_channel_logout_uri", sa.Text(), nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=False, comment="those that it may ask for"),
        sa.Column("grants", sa.JSON(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True, comment="whom it acts as on its own: client_credentials"),
        sa.Column("requires_pushed", sa.Boolean(), nullable=False, comment="authorization requests by PAR alone"),
        sa.Column("requires_proof", sa.Boolean(), nullable=False, comment="tokens bound to a key (DPoP) alone"),
        sa.Column(
            "introspects_all",
            sa.Boolean(),
            nullable=False,
            comment="a resource server: sees the tokens of every client",
        ),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_oauth_clients")),
    )
    op.create_table(
        "freehold_oauth_seen",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_freehold_oauth_seen")),
    )
    with op.batch_alter_table("freehold_oauth_seen", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_oauth_seen_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "freehold_oauth_codes",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=True, comment="the log-in of the browser that allowed it"),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=True),
        sa.Column("challenge", sa.String(length=43), nullable=False, comment="S256 (RFC 7636)"),
        sa.Column("key_thumbprint", sa.String(length=43), nullable=True, comment="dpop_jkt (RFC 9449 10)"),
        sa.Column("authenticated_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True, comment="set when it was used: what it gave"),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["freehold_oauth_clients.id"],
            name=op.f("fk_freehold_oauth_codes_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_freehold_oauth_codes")),
    )
    with op.batch_alter_table("freehold_oauth_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_oauth_codes_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_freehold_oauth_codes_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "freehold_oauth_consents",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("given_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["freehold_oauth_clients.id"],
            name=op.f("fk_freehold_oauth_consents_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "client_id", name=op.f("pk_freehold_oauth_consents")),
    )
    with op.batch_alter_table("freehold_oauth_consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_oauth_consents_client_id"), ["client_id"], unique=False)

    op.create_table(
        "freehold_oauth_devices",
        sa.Column("device_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_code", sa.String(length=8), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False, comment="waiting, allowed, denied"),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("login_id", sa.Uuid(), nullable=True),
        sa.Column("authenticated_at", UTCDateTime(), nullable=True),
        sa.Column("interval_seconds", sa.Integer(), nullable=False),
        sa.Column("polled_at", UTCDateTime(), nullable=True),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["freehold_oauth_clients.id"],
            name=op.f("fk_freehold_oauth_devices_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("device_hash", name=op.f("pk_freehold_oauth_devices")),
        sa.UniqueConstraint("user_code", name=op.f("uq_freehold_oauth_devices_user_code")),
    )
    with op.batch_alter_table("freehold_oauth_devices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_oauth_devices_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_freehold_oauth_devices_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "freehold_oauth_grants",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=True, comment="the log-in of the browser, for the end of both"),
        sa.Column(
            "key_thumbprint", sa.String(length=43), nullable=True, comment="of the key that its tokens are bound to"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["freehold_oauth_clients.id"],
            name=op.f("fk_freehold_oauth_grants_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["freehold_sessions.id"],
            name=op.f("fk_freehold_oauth_grants_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_freehold_oauth_grants")),
    )
    with op.batch_alter_table("freehold_oauth_grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_oauth_grants_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_freehold_oauth_grants_login_id"), ["login_id"], unique=False)

    op.create_table(
        "freehold_oauth_pushed_requests",
        sa.Column("uri_hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["freehold_oauth_clients.id"],
            name=op.f("fk_freehold_oauth_pushed_requests_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("uri_hash", name=op.f("pk_freehold_oauth_pushed_requests")),
    )
    with op.batch_alter_table("freehold_oauth_pushed_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_oauth_pushed_requests_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_freehold_oauth_pushed_requests_expires_at"), ["expires_at"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("freehold_oauth_pushed_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_oauth_pushed_requests_expires_at"))
        batch_op.drop_index(batch_op.f("ix_freehold_oauth_pushed_requests_client_id"))

    op.drop_table("freehold_oauth_pushed_requests")
    with op.batch_alter_table("freehold_oauth_grants", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_oauth_grants_login_id"))
        batch_op.drop_index(batch_op.f("ix_freehold_oauth_grants_client_id"))

    op.drop_table("freehold_oauth_grants")
    with op.batch_alter_table("freehold_oauth_devices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_oauth_devices_expires_at"))
        batch_op.drop_index(batch_op.f("ix_freehold_oauth_devices_client_id"))

    op.drop_table("freehold_oauth_devices")
    with op.batch_alter_table("freehold_oauth_consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_oauth_consents_client_id"))

    op.drop_table("freehold_oauth_consents")
    with op.batch_alter_table("freehold_oauth_codes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_oauth_codes_expires_at"))
        batch_op.drop_index(batch_op.f("ix_freehold_oauth_codes_client_id"))

    op.drop_table("freehold_oauth_codes")
    with op.batch_alter_table("freehold_oauth_seen", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_oauth_seen_expires_at"))

    op.drop_table("freehold_oauth_seen")
    op.drop_table("freehold_oauth_clients")
