"""views, reports, languages, the archive

Revision: 0fd721f88226
Revises: ee5fc0e2bc95
Created: 2026-11-21 19:24:34.579280
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "0fd721f88226"
down_revision = "ee5fc0e2bc95"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "property_views",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("property_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("bots", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["property_id"], ["properties.id"], name=op.f("fk_property_views_property_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_property_views")),
        sa.UniqueConstraint("property_id", "day", name=op.f("uq_property_views_property_id_day")),
    )
    with op.batch_alter_table("property_views", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_property_views_created_at"), ["created_at"], unique=False)

    op.create_table(
        "blocked_people",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("blocked_id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["blocked_id"], ["users.id"], name=op.f("fk_blocked_people_blocked_id")),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_blocked_people_thread_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_blocked_people_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocked_people")),
    )
    with op.batch_alter_table("blocked_people", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_blocked_people_blocked_id"), ["blocked_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_blocked_people_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_blocked_people_user_id"), ["user_id"], unique=False)

    op.create_table(
        "reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reporter_id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column(
            "reason",
            sa.Enum("spam", "fraud", "harassment", "off_platform", "other", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("status", sa.Enum("open", "upheld", "dismissed", native_enum=False, length=20), nullable=False),
        sa.Column("decision", sa.String(length=1000), nullable=True),
        sa.Column("moderator_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_reports_message_id")),
        sa.ForeignKeyConstraint(["moderator_id"], ["users.id"], name=op.f("fk_reports_moderator_id")),
        sa.ForeignKeyConstraint(["reporter_id"], ["users.id"], name=op.f("fk_reports_reporter_id")),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_reports_thread_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reports_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_reports_reporter_id"), ["reporter_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reports_status"), ["status"], unique=False)
        batch_op.create_index("ix_reports_thread", ["thread_id", "status"], unique=False)

    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.add_column(sa.Column("amenity_keys", sa.Text(), nullable=True))

    op.backfill("properties", "amenity_keys", kind="amenities", sources=["amenities"])
    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.alter_column("amenity_keys", existing_type=sa.Text(), nullable=False)

    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("language", sa.String(length=20), nullable=True))

    op.attach(
        "fh_imba_blocked_once",
        postgresql=[
            "CREATE UNIQUE INDEX fh_imba_blocked_once ON blocked_people (user_id, blocked_id)",
            "COMMENT ON INDEX fh_imba_blocked_once IS 'fh:fh_imba_blocked_once:5e356f375a76:9fb53bbfad8c'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_imba_blocked_once ON blocked_people (/*fh:fh_imba_blocked_once:5e356f375a76:eedc0f107234*/user_id, blocked_id, (user_id IS NULL))",
        ],
    )
    op.attach(
        "fh_imba_reported",
        postgresql=[
            "CREATE UNIQUE INDEX fh_imba_reported ON reports (reporter_id, thread_id) WHERE (status = 'open')",
            "COMMENT ON INDEX fh_imba_reported IS 'fh:fh_imba_reported:feed929a2fc0:9ce47b933442'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_imba_reported ON reports (/*fh:fh_imba_reported:feed929a2fc0:452e1185c590*/reporter_id, thread_id, (reporter_id IS NULL)) WHERE (status = 'open')",
        ],
    )


def downgrade() -> None:
    """Take back."""
    op.detach(
        "fh_imba_reported",
        postgresql=[
            "DROP INDEX IF EXISTS fh_imba_reported",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_imba_reported",
        ],
    )
    op.detach(
        "fh_imba_blocked_once",
        postgresql=[
            "DROP INDEX IF EXISTS fh_imba_blocked_once",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_imba_blocked_once",
        ],
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("language")

    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.drop_column("amenity_keys")

    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.drop_index("ix_reports_thread")
        batch_op.drop_index(batch_op.f("ix_reports_status"))
        batch_op.drop_index(batch_op.f("ix_reports_reporter_id"))
        batch_op.drop_index(batch_op.f("ix_reports_created_at"))

    op.drop_table("reports")
    with op.batch_alter_table("blocked_people", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_blocked_people_user_id"))
        batch_op.drop_index(batch_op.f("ix_blocked_people_created_at"))
        batch_op.drop_index(batch_op.f("ix_blocked_people_blocked_id"))

    op.drop_table("blocked_people")
    with op.batch_alter_table("property_views", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_property_views_created_at"))

    op.drop_table("property_views")
