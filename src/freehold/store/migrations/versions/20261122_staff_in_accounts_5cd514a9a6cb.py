"""staff in accounts

Revision: 5cd514a9a6cb
Revises: eb6a7a96af80
Created: 2026-11-22 02:26:51.353504
"""

import sqlalchemy as sa
from alembic import op

revision = "5cd514a9a6cb"
down_revision = "eb6a7a96af80"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_impersonations",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False, comment="who acts"),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["freehold_sessions.id"],
            name=op.f("fk_freehold_impersonations_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_freehold_impersonations")),
    )
    with op.batch_alter_table("freehold_impersonations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_impersonations_actor_id"), ["actor_id"], unique=False)

    with op.batch_alter_table("freehold_one_time_tokens", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "payload",
                sa.String(length=320),
                nullable=True,
                comment="the address as written, of a change of address",
            )
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("freehold_one_time_tokens", schema=None) as batch_op:
        batch_op.drop_column("payload")

    with op.batch_alter_table("freehold_impersonations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_impersonations_actor_id"))

    op.drop_table("freehold_impersonations")
