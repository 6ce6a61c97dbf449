"""calendars by address and secret feeds

Revision: ee5fc0e2bc95
Revises: 87d82d00be7b
Created: 2026-11-21 17:26:41.631075
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "ee5fc0e2bc95"
down_revision = "87d82d00be7b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "calendar_feeds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("property_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.String(length=60), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["property_id"], ["properties.id"], name=op.f("fk_calendar_feeds_property_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feeds")),
        sa.UniqueConstraint("property_id", name=op.f("uq_calendar_feeds_property_id")),
        sa.UniqueConstraint("token", name=op.f("uq_calendar_feeds_token")),
    )
    with op.batch_alter_table("calendar_feeds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_calendar_feeds_created_at"), ["created_at"], unique=False)

    with op.batch_alter_table("calendars", schema=None) as batch_op:
        batch_op.add_column(sa.Column("url", sa.String(length=2000), nullable=True))
        batch_op.add_column(sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("etag", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("last_modified", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("next_sync_at", UTCDateTime(), nullable=True))
        batch_op.alter_column("file", existing_type=sa.TEXT(), nullable=True)
        batch_op.create_index(batch_op.f("ix_calendars_next_sync_at"), ["next_sync_at"], unique=False)
    with op.batch_alter_table("calendars", schema=None) as batch_op:  # for the rows that were there
        batch_op.alter_column("failures", existing_type=sa.Integer(), server_default=None)


def downgrade() -> None:
    """Take back."""
    op.execute("UPDATE calendars SET file = '' WHERE file IS NULL")  # of an address that was never read
    with op.batch_alter_table("calendars", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_calendars_next_sync_at"))
        batch_op.alter_column("file", existing_type=sa.TEXT(), nullable=False)
        batch_op.drop_column("next_sync_at")
        batch_op.drop_column("last_modified")
        batch_op.drop_column("etag")
        batch_op.drop_column("failures")
        batch_op.drop_column("url")

    with op.batch_alter_table("calendar_feeds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_calendar_feeds_created_at"))

    op.drop_table("calendar_feeds")
