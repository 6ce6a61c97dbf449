"""audit values

Revision: c41d7a6e2b90
Revises: 9ba9f528a55d
Created: 2026-11-21 14:25:00
"""

import sqlalchemy as sa
from alembic import op

revision = "c41d7a6e2b90"
down_revision = "9ba9f528a55d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_audit_values",
        sa.Column("record_id", sa.Uuid(), nullable=False, comment="of the record whose values these are"),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False, comment="field -> [salt, {from, to}]"),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_freehold_audit_values")),
    )
    with op.batch_alter_table("freehold_audit_values", schema=None) as batch_op:
        batch_op.create_index("ix_freehold_audit_values_subject", ["subject_type", "subject_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("freehold_audit_values", schema=None) as batch_op:
        batch_op.drop_index("ix_freehold_audit_values_subject")

    op.drop_table("freehold_audit_values")
