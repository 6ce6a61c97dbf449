"""one review for each reader

Revision: efcf1bcc7f81
Revises: fc9472dac650
Created: 2026-11-21 19:27:43.193328
"""

from alembic import op

revision = "efcf1bcc7f81"
down_revision = "fc9472dac650"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.attach(
        "fh_reviews_unique_while_book_id_owner_id",
        postgresql=[
            "CREATE UNIQUE INDEX fh_reviews_unique_while_book_id_owner_id ON reviews (book_id, owner_id)",
            "COMMENT ON INDEX fh_reviews_unique_while_book_id_owner_id IS 'fh:fh_reviews_unique_while_book_id_owner_id:dff8d73693c1:15f70b57a66e'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_reviews_unique_while_book_id_owner_id ON reviews (/*fh:fh_reviews_unique_while_book_id_owner_id:dff8d73693c1:2a79064868bf*/book_id, owner_id, (book_id IS NULL))",
        ],
    )


def downgrade() -> None:
    """Take back."""
    op.detach(
        "fh_reviews_unique_while_book_id_owner_id",
        postgresql=[
            "DROP INDEX IF EXISTS fh_reviews_unique_while_book_id_owner_id",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_reviews_unique_while_book_id_owner_id",
        ],
    )
