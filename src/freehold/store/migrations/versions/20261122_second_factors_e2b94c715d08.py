"""second factors

Revision: e2b94c715d08
Revises: 729368f9c70c
Created: 2026-11-22 01:40:00.000000
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "e2b94c715d08"
down_revision = "729368f9c70c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_totp_secrets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="one for an account"),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column(
            "confirmed_at", UTCDateTime(), nullable=True, comment="null: not proved by a code yet, and no factor"
        ),
        sa.Column("last_used_at", UTCDateTime(), nullable=True),
        sa.Column("last_counter", sa.BigInteger(), nullable=True, comment="of the newest code that was taken"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_totp_secrets")),
        sa.UniqueConstraint("user_id", name=op.f("uq_freehold_totp_secrets_user_id")),
    )
    op.create_table(
        "freehold_passkeys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False, comment="at most 1,023 bytes"),
        sa.Column("public_key", sa.LargeBinary(), nullable=False, comment="COSE (RFC 9052)"),
        sa.Column("sign_count", sa.BigInteger(), nullable=False, comment="0 for a synced one, for good"),
        sa.Column("transports", sa.Text(), nullable=False, comment="a hint for browsers, separated by spaces"),
        sa.Column("is_backed_up", sa.Boolean(), nullable=False, comment="synced to other devices of its owner"),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_freehold_passkeys_credential_id")),
    )
    op.create_index(op.f("ix_freehold_passkeys_user_id"), "freehold_passkeys", ["user_id"], unique=False)
    op.create_table(
        "freehold_recovery_codes",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_freehold_recovery_codes")),
    )
    op.create_index(op.f("ix_freehold_recovery_codes_user_id"), "freehold_recovery_codes", ["user_id"], unique=False)
    op.create_table(
        "freehold_login_steps",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True, comment="null: a passkey will say who it is"),
        sa.Column(
            "session_id", sa.Uuid(), nullable=True, comment="of a log-in that is to be made stronger; null: a new one"
        ),
        sa.Column("scope", sa.Text(), nullable=True, comment="null: unrestricted"),
        sa.Column("amr", sa.String(length=64), nullable=False, comment="what is proved already"),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_freehold_login_steps")),
    )
    op.create_index(op.f("ix_freehold_login_steps_expires_at"), "freehold_login_steps", ["expires_at"], unique=False)
    op.create_index(op.f("ix_freehold_login_steps_user_id"), "freehold_login_steps", ["user_id"], unique=False)
    op.create_table(
        "freehold_passkey_challenges",
        sa.Column("holder", sa.LargeBinary(), nullable=False, comment="of a log-in, or the hash of a step token"),
        sa.Column("purpose", sa.String(length=16), nullable=False, comment="registration, login"),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("holder", "purpose", name=op.f("pk_freehold_passkey_challenges")),
    )
    op.create_index(
        op.f("ix_freehold_passkey_challenges_expires_at"), "freehold_passkey_challenges", ["expires_at"], unique=False
    )


def downgrade() -> None:
    """Take back."""
    for table in (
        "freehold_passkey_challenges",
        "freehold_login_steps",
        "freehold_recovery_codes",
        "freehold_passkeys",
        "freehold_totp_secrets",
    ):
        op.drop_table(table)
