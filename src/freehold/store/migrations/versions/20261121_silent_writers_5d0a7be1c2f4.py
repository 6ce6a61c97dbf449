"""silent writers

Revision: 5d0a7be1c2f4
Revises: 81c6b4d8c434
Created: 2026-11-21 22:30:00.000000
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "5d0a7be1c2f4"
down_revision = "81c6b4d8c434"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_silent_writers",
        sa.Column("process_id", sa.Uuid(), nullable=False),
        sa.Column("stamp", sa.Uuid(), nullable=False, comment="another one each time that it is noted"),
        sa.Column(
            "until", UTCDateTime(), nullable=False, comment="after this it is noted anew, or the process is gone"
        ),
        sa.PrimaryKeyConstraint("process_id", name=op.f("pk_freehold_silent_writers")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("freehold_silent_writers")
