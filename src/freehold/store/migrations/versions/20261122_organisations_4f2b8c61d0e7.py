"""organisations

Revision: 4f2b8c61d0e7
Revises: 7c2e9f40a1b3
Created: 2026-11-22 01:25:00.000000
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "4f2b8c61d0e7"
down_revision = "7c2e9f40a1b3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_organisations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=True, comment="the row stays: others' records name it"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_organisations")),
    )
    op.create_table(
        "freehold_memberships",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["freehold_organisations.id"],
            name=op.f("fk_freehold_memberships_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organisation_id", "user_id", name=op.f("pk_freehold_memberships")),
    )
    with op.batch_alter_table("freehold_memberships", schema=None) as batch_op:
        batch_op.create_index("ix_freehold_memberships_user", ["user_id", "organisation_id", "role"], unique=False)

    op.create_table(
        "freehold_invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=960), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["freehold_organisations.id"],
            name=op.f("fk_freehold_invitations_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_freehold_invitations_token_hash")),
    )
    with op.batch_alter_table("freehold_invitations", schema=None) as batch_op:
        batch_op.create_index("uq_freehold_invitations_address", ["organisation_id", "email_key"], unique=True)


def downgrade() -> None:
    """Take back."""
    op.drop_table("freehold_invitations")
    op.drop_table("freehold_memberships")
    op.drop_table("freehold_organisations")
