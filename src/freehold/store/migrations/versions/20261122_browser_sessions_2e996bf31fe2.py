"""browser sessions

Revision: 2e996bf31fe2
Revises: 4f2b8c61d0e7
Created: 2026-11-22 01:30:12.955601
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "2e996bf31fe2"
down_revision = "4f2b8c61d0e7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_browser_sessions",
        sa.Column("value_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False, comment="when the cookie got this value"),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["freehold_sessions.id"],
            name=op.f("fk_freehold_browser_sessions_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("value_hash", name=op.f("pk_freehold_browser_sessions")),
        sa.UniqueConstraint("session_id", name=op.f("uq_freehold_browser_sessions_session_id")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("freehold_browser_sessions")
