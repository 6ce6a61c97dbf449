"""reviews

Revision: fc9472dac650
Revises: 9c2257f68154
Created: 2026-11-21 19:25:19.004380
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "fc9472dac650"
down_revision = "9c2257f68154"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_reviews_book_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_reviews_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reviews_book_id"), ["book_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_rating"), ["rating"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reviews_rating"))
        batch_op.drop_index(batch_op.f("ix_reviews_owner_id"))
        batch_op.drop_index(batch_op.f("ix_reviews_created_at"))
        batch_op.drop_index(batch_op.f("ix_reviews_book_id"))

    op.drop_table("reviews")
