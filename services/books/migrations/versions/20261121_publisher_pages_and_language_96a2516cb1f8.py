"""publisher, pages and language

Revision: 96a2516cb1f8
Revises: efcf1bcc7f81
Created: 2026-11-21 19:29:40.342840
"""

import sqlalchemy as sa
from alembic import op

revision = "96a2516cb1f8"
down_revision = "efcf1bcc7f81"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("books", schema=None) as batch_op:
        batch_op.add_column(sa.Column("publisher", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("page_count", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("language", sa.String(length=2), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("books", schema=None) as batch_op:
        batch_op.drop_column("language")
        batch_op.drop_column("page_count")
        batch_op.drop_column("publisher")
