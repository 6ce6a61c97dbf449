"""index where holds are fetched

Revision: 90cb3368ed49
Revises: f675f5be5d94
Created: 2026-11-21 22:11:27.224028
"""

from alembic import op

revision = "90cb3368ed49"
down_revision = "f675f5be5d94"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_holds_pickup_id"), ["pickup_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_holds_pickup_id"))
