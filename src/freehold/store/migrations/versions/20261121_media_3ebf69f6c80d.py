"""media

Revision: 3ebf69f6c80d
Revises: c41d7a6e2b90
Created: 2026-11-21 15:40:43.062823
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "3ebf69f6c80d"
down_revision = "c41d7a6e2b90"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False, comment="the fields beside the file, as they were sent"),
        sa.Column("filename", sa.Text(), nullable=True),
        sa.Column("declared_type", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True, comment="null: not said yet"),
        sa.Column("offset_bytes", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.JSON(), nullable=False, comment="keys of the objects that make up the file, in order"),
        sa.Column("medium_id", sa.Uuid(), nullable=False, comment="the file that it becomes"),
        sa.Column("state", sa.Text(), nullable=False, comment="open, done, refused"),
        sa.Column("failure", sa.JSON(), nullable=True, comment="status, code and detail of a refusal"),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_uploads")),
    )
    with op.batch_alter_table("freehold_uploads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_uploads_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_freehold_uploads_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "freehold_used_addresses",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False, comment="after it the address is refused anyway"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_freehold_used_addresses")),
    )
    with op.batch_alter_table("freehold_used_addresses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_used_addresses_ends_at"), ["ends_at"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("freehold_used_addresses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_used_addresses_ends_at"))

    op.drop_table("freehold_used_addresses")
    with op.batch_alter_table("freehold_uploads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_uploads_owner_id"))
        batch_op.drop_index(batch_op.f("ix_freehold_uploads_expires_at"))

    op.drop_table("freehold_uploads")
