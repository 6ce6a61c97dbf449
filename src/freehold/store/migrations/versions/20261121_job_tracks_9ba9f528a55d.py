"""job tracks

Revision: 9ba9f528a55d
Revises: 50cf110a5906
Created: 2026-11-21 12:38:38.507952
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "9ba9f528a55d"
down_revision = "50cf110a5906"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_job_tracks",
        sa.Column(
            "id", sa.Uuid(), nullable=False, comment="of the job; its row says whether it waits, runs or has ended"
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=True, comment="who may follow it"),
        sa.Column("progress", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column(
            "failure", sa.JSON(none_as_null=True), nullable=True, comment="of the last try, in words for the client"
        ),
        sa.Column("cancellation_requested_at", UTCDateTime(), nullable=True),
        sa.Column("cancelled_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_job_tracks")),
    )
    with op.batch_alter_table("freehold_job_tracks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_job_tracks_updated_at"), ["updated_at"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("freehold_job_tracks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_job_tracks_updated_at"))

    op.drop_table("freehold_job_tracks")
