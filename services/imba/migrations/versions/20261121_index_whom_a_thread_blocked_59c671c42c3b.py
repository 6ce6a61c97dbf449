"""index whom a thread blocked

Revision: 59c671c42c3b
Revises: fd3dc64e1621
Created: 2026-11-21 22:11:23.369970
"""

from alembic import op

revision = "59c671c42c3b"
down_revision = "fd3dc64e1621"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("blocked_people", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_blocked_people_thread_id"), ["thread_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("blocked_people", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_blocked_people_thread_id"))
