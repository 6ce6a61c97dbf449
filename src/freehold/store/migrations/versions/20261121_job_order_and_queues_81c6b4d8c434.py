"""job order and queues

Revision: 81c6b4d8c434
Revises: 8ac1d0daacd0
Created: 2026-11-21 22:07:11.592629
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "81c6b4d8c434"
down_revision = "8ac1d0daacd0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_job_queues",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "free_at", UTCDateTime(), nullable=False, comment="when the rate has room again for as much as it may hold"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_freehold_job_queues")),
    )
    with op.batch_alter_table("freehold_jobs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "order_key", sa.Text(), nullable=True, comment="jobs of this name and key run one after the other"
            )
        )
        batch_op.add_column(
            sa.Column(
                "order_number", sa.BigInteger(), nullable=True, comment="their order, which is that of their commits"
            )
        )
        batch_op.drop_index(batch_op.f("ix_freehold_jobs_ready"), sqlite_where=sa.text("state = 'ready'"))
        batch_op.create_index(
            "ix_freehold_jobs_due",
            ["name", "run_at", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'ready'"),
            postgresql_where=sa.text("state = 'ready'"),
        )
        batch_op.create_index(
            "ix_freehold_jobs_order",
            ["name", "order_key", "order_number"],
            unique=False,
            sqlite_where=sa.text("order_key IS NOT NULL"),
            postgresql_where=sa.text("order_key IS NOT NULL"),
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("freehold_jobs", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_freehold_jobs_order",
            sqlite_where=sa.text("order_key IS NOT NULL"),
            postgresql_where=sa.text("order_key IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_freehold_jobs_due", sqlite_where=sa.text("state = 'ready'"), postgresql_where=sa.text("state = 'ready'")
        )
        batch_op.create_index(
            batch_op.f("ix_freehold_jobs_ready"),
            ["run_at", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'ready'"),
        )
        batch_op.drop_column("order_number")
        batch_op.drop_column("order_key")

    op.drop_table("freehold_job_queues")
