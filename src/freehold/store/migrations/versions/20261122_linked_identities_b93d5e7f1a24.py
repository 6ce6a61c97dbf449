"""linked identities

Revision: b93d5e7f1a24
Revises: 2e996bf31fe2
Created: 2026-11-22 01:58:00.000000
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "b93d5e7f1a24"
down_revision = "2e996bf31fe2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_linked_identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False, comment="as the service calls it"),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column(
            "email",
            sa.String(length=320),
            nullable=True,
            comment="as it was said when linked; for people to tell them apart",
        ),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_linked_identities")),
    )
    with op.batch_alter_table("freehold_linked_identities", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_linked_identities_user_id"), ["user_id"], unique=False)
        batch_op.create_index("uq_freehold_linked_identities_subject", ["issuer", "subject"], unique=True)

    op.create_table(
        "freehold_login_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=True, comment="null: the callback has come"),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="nonce and verifier, under the state"),
        sa.Column("return_to", sa.Text(), nullable=False),
        sa.Column("registration", sa.JSON(), nullable=True, comment="what a new account is to have"),
        sa.Column("user_id", sa.Uuid(), nullable=True, comment="whose account is to be linked"),
        sa.Column("session_id", sa.Uuid(), nullable=True, comment="the log-in that asked for it"),
        sa.Column("granted_user_id", sa.Uuid(), nullable=True, comment="who may come in with this browser"),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_login_attempts")),
        sa.UniqueConstraint("browser_hash", name=op.f("uq_freehold_login_attempts_browser_hash")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_freehold_login_attempts_state_hash")),
    )
    with op.batch_alter_table("freehold_login_attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_login_attempts_expires_at"), ["expires_at"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_table("freehold_login_attempts")
    op.drop_table("freehold_linked_identities")
