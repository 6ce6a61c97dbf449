"""index who reviews

Revision: fd3dc64e1621
Revises: 0d099a2c4797
Created: 2026-11-21 22:00:40.613485
"""

from alembic import op

revision = "fd3dc64e1621"
down_revision = "0d099a2c4797"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("verification_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verification_requests_claimed_by_id"), ["claimed_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_verification_requests_reviewer_id"), ["reviewer_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("verification_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_verification_requests_reviewer_id"))
        batch_op.drop_index(batch_op.f("ix_verification_requests_claimed_by_id"))
