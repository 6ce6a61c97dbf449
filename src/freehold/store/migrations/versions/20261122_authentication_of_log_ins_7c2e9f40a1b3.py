"""authentication of log-ins

Revision: 7c2e9f40a1b3
Revises: 0f001a8ce099
Created: 2026-11-22 01:20:00.000000
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "7c2e9f40a1b3"
down_revision = "0f001a8ce099"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("freehold_sessions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "authenticated_at",
                UTCDateTime(),
                nullable=True,
                comment="the last proof of who they are; null: created_at",
            )
        )
        batch_op.add_column(
            sa.Column("amr", sa.String(64), nullable=True, comment="how (RFC 8176), separated by spaces; null: pwd")
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("freehold_sessions", schema=None) as batch_op:
        batch_op.drop_column("amr")
        batch_op.drop_column("authenticated_at")
