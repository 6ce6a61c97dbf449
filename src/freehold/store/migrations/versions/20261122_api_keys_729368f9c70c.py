"""API keys

Revision: 729368f9c70c
Revises: b93d5e7f1a24
Created: 2026-11-22 02:02:00.215763
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "729368f9c70c"
down_revision = "b93d5e7f1a24"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "prefix",
            sa.String(length=16),
            nullable=False,
            comment="fh_ and ten characters; finds the key, opens nothing",
        ),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True, comment="whose it is; null: the service's"),
        sa.Column("maker_id", sa.Uuid(), nullable=True, comment="who made it; null: by the command line"),
        sa.Column(
            "roles", sa.JSON(), nullable=False, comment="of a key of the service; a personal one has its owner's"
        ),
        sa.Column("scopes", sa.Text(), nullable=False, comment="separated by spaces"),
        sa.Column("address_ranges", sa.JSON(), nullable=False, comment="CIDR; none: from anywhere"),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=True, comment="to the minute"),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.Column("replaced_by", sa.Uuid(), nullable=True, comment="the key that a rotation made"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_api_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_freehold_api_keys_prefix")),
    )
    with op.batch_alter_table("freehold_api_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_api_keys_owner_id"), ["owner_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("freehold_api_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_api_keys_owner_id"))

    op.drop_table("freehold_api_keys")
