"""saved searches

Revision: e810c6ff71b0
Revises: 5d157df900ff
Created: 2026-11-21 16:56:16.939921
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "e810c6ff71b0"
down_revision = "5d157df900ff"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("alerts", sa.Boolean(), nullable=False),
        sa.Column("alerts_since", UTCDateTime(), nullable=False),
        sa.Column("checked_at", UTCDateTime(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_saved_searches_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_searches")),
    )
    with op.batch_alter_table("saved_searches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_searches_created_at"), ["created_at"], unique=False)
        batch_op.create_index("ix_saved_searches_due", ["alerts", "checked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_saved_searches_user_id"), ["user_id"], unique=False)

    op.create_table(
        "search_alerts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("search_id", sa.Uuid(), nullable=False),
        sa.Column("property_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["property_id"], ["properties.id"], name=op.f("fk_search_alerts_property_id")),
        sa.ForeignKeyConstraint(["search_id"], ["saved_searches.id"], name=op.f("fk_search_alerts_search_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_alerts")),
        sa.UniqueConstraint("search_id", "property_id", name=op.f("uq_search_alerts_search_id_property_id")),
    )
    with op.batch_alter_table("search_alerts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_search_alerts_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_search_alerts_property_id"), ["property_id"], unique=False)

    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.add_column(sa.Column("listed_at", UTCDateTime(), nullable=True))
        batch_op.create_index(batch_op.f("ix_properties_listed_at"), ["listed_at"], unique=False)

    op.attach(
        "fh_imba_saved_searches",
        postgresql=[
            "CREATE INDEX fh_imba_saved_searches_look ON saved_searches (user_id)",
            "COMMENT ON INDEX fh_imba_saved_searches_look IS 'fh:fh_imba_saved_searches:4fb934e4c3f1:4a232ccdc8e1'",
            """CREATE OR REPLACE FUNCTION fh_imba_saved_searches_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $fh$
    BEGIN
      IF TG_OP = 'UPDATE' AND (OLD.user_id) IS DISTINCT FROM (NEW.user_id) THEN
        PERFORM pg_advisory_xact_lock(least(hashtextextended('fh_imba_saved_searches' || '/' || OLD.user_id::text, 0), hashtextextended('fh_imba_saved_searches' || '/' || NEW.user_id::text, 0)));
        PERFORM pg_advisory_xact_lock(greatest(hashtextextended('fh_imba_saved_searches' || '/' || OLD.user_id::text, 0), hashtextextended('fh_imba_saved_searches' || '/' || NEW.user_id::text, 0)));
      ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended('fh_imba_saved_searches' || '/' || NEW.user_id::text, 0));
      END IF;
      IF current_setting('transaction_isolation') = 'repeatable read' THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
          MESSAGE = 'fh_imba_saved_searches needs READ COMMITTED or SERIALIZABLE';
      END IF;
      IF (SELECT count(*) FROM saved_searches WHERE user_id = NEW.user_id AND (id IS DISTINCT FROM NEW.id) AND (id IS DISTINCT FROM OLD.id)) >= 50 THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'fh_imba_saved_searches', MESSAGE = 'fh:fh_imba_saved_searches';
      END IF;
      RETURN NEW;
    END
    $fh$
    """,
            "COMMENT ON FUNCTION fh_imba_saved_searches_guard() IS 'fh:fh_imba_saved_searches:4fb934e4c3f1:26835da9df8a'",
            "CREATE TRIGGER fh_imba_saved_searches_guard BEFORE INSERT OR UPDATE OF user_id ON saved_searches FOR EACH ROW EXECUTE FUNCTION fh_imba_saved_searches_guard()",
            "COMMENT ON TRIGGER fh_imba_saved_searches_guard ON saved_searches IS 'fh:fh_imba_saved_searches:4fb934e4c3f1:8e6f3a3c67c1'",
            "UPDATE saved_searches SET user_id = user_id",
        ],
        sqlite=[
            "CREATE INDEX fh_imba_saved_searches_look ON saved_searches (/*fh:fh_imba_saved_searches:4fb934e4c3f1:bfe8917b1fce*/user_id)",
            """CREATE TRIGGER fh_imba_saved_searches_insert BEFORE INSERT ON saved_searches FOR EACH ROW
    BEGIN /*fh:fh_imba_saved_searches:4fb934e4c3f1:bbf538c20ae5*/
      SELECT RAISE(ABORT, 'fh:fh_imba_saved_searches') WHERE (SELECT count(*) FROM saved_searches WHERE user_id = NEW.user_id AND (id IS NOT NEW.id)) >= 50;
    END
    """,
            """CREATE TRIGGER fh_imba_saved_searches_update BEFORE UPDATE OF user_id ON saved_searches FOR EACH ROW
    BEGIN /*fh:fh_imba_saved_searches:4fb934e4c3f1:ab89216d79d7*/
      SELECT RAISE(ABORT, 'fh:fh_imba_saved_searches') WHERE (SELECT count(*) FROM saved_searches WHERE user_id = NEW.user_id AND (id IS NOT NEW.id) AND (id IS NOT OLD.id)) >= 50;
    END
    """,
            "UPDATE saved_searches SET user_id = user_id",
        ],
    )


def downgrade() -> None:
    """Take back."""
    op.detach(
        "fh_imba_saved_searches",
        postgresql=[
            "DROP TRIGGER IF EXISTS fh_imba_saved_searches_guard ON saved_searches",
            "DROP FUNCTION IF EXISTS fh_imba_saved_searches_guard()",
            "DROP INDEX IF EXISTS fh_imba_saved_searches_look",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS fh_imba_saved_searches_update",
            "DROP TRIGGER IF EXISTS fh_imba_saved_searches_insert",
            "DROP INDEX IF EXISTS fh_imba_saved_searches_look",
        ],
    )
    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_properties_listed_at"))
        batch_op.drop_column("listed_at")

    with op.batch_alter_table("search_alerts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_search_alerts_property_id"))
        batch_op.drop_index(batch_op.f("ix_search_alerts_created_at"))

    op.drop_table("search_alerts")
    with op.batch_alter_table("saved_searches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_saved_searches_user_id"))
        batch_op.drop_index("ix_saved_searches_due")
        batch_op.drop_index(batch_op.f("ix_saved_searches_created_at"))

    op.drop_table("saved_searches")
