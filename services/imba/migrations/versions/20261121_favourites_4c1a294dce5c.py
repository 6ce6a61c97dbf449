"""favourites

Revision: 4c1a294dce5c
Revises: 140621aac322
Created: 2026-11-21 16:13:01.284473
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "4c1a294dce5c"
down_revision = "140621aac322"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "favourites",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("property_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["property_id"], ["properties.id"], name=op.f("fk_favourites_property_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_favourites_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_favourites")),
    )
    with op.batch_alter_table("favourites", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_favourites_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_favourites_property_id"), ["property_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_favourites_user_id"), ["user_id"], unique=False)

    op.attach(
        "fh_imba_favourite_once",
        postgresql=[
            "CREATE UNIQUE INDEX fh_imba_favourite_once ON favourites (user_id, property_id)",
            "COMMENT ON INDEX fh_imba_favourite_once IS 'fh:fh_imba_favourite_once:f7e1802d208c:d7b3ba1b783f'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_imba_favourite_once ON favourites (/*fh:fh_imba_favourite_once:f7e1802d208c:8a346052a2ca*/user_id, property_id, (user_id IS NULL))",
        ],
    )
    op.attach(
        "fh_imba_favourites",
        postgresql=[
            "CREATE INDEX fh_imba_favourites_look ON favourites (user_id)",
            "COMMENT ON INDEX fh_imba_favourites_look IS 'fh:fh_imba_favourites:31b52576ef33:0fae5624f36e'",
            """CREATE OR REPLACE FUNCTION fh_imba_favourites_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $fh$
    BEGIN
      IF TG_OP = 'UPDATE' AND (OLD.user_id) IS DISTINCT FROM (NEW.user_id) THEN
        PERFORM pg_advisory_xact_lock(least(hashtextextended('fh_imba_favourites' || '/' || OLD.user_id::text, 0), hashtextextended('fh_imba_favourites' || '/' || NEW.user_id::text, 0)));
        PERFORM pg_advisory_xact_lock(greatest(hashtextextended('fh_imba_favourites' || '/' || OLD.user_id::text, 0), hashtextextended('fh_imba_favourites' || '/' || NEW.user_id::text, 0)));
      ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended('fh_imba_favourites' || '/' || NEW.user_id::text, 0));
      END IF;
      IF current_setting('transaction_isolation') = 'repeatable read' THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
          MESSAGE = 'fh_imba_favourites needs READ COMMITTED or SERIALIZABLE';
      END IF;
      IF (SELECT count(*) FROM favourites WHERE user_id = NEW.user_id AND (id IS DISTINCT FROM NEW.id) AND (id IS DISTINCT FROM OLD.id)) >= 300 THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'fh_imba_favourites', MESSAGE = 'fh:fh_imba_favourites';
      END IF;
      RETURN NEW;
    END
    $fh$
    """,
            "COMMENT ON FUNCTION fh_imba_favourites_guard() IS 'fh:fh_imba_favourites:31b52576ef33:455234fab7e7'",
            "CREATE TRIGGER fh_imba_favourites_guard BEFORE INSERT OR UPDATE OF user_id ON favourites FOR EACH ROW EXECUTE FUNCTION fh_imba_favourites_guard()",
            "COMMENT ON TRIGGER fh_imba_favourites_guard ON favourites IS 'fh:fh_imba_favourites:31b52576ef33:756cc8e2beef'",
            "UPDATE favourites SET user_id = user_id",
        ],
        sqlite=[
            "CREATE INDEX fh_imba_favourites_look ON favourites (/*fh:fh_imba_favourites:31b52576ef33:02f9dee1ae12*/user_id)",
            """CREATE TRIGGER fh_imba_favourites_insert BEFORE INSERT ON favourites FOR EACH ROW
    BEGIN /*fh:fh_imba_favourites:31b52576ef33:cff86f466544*/
      SELECT RAISE(ABORT, 'fh:fh_imba_favourites') WHERE (SELECT count(*) FROM favourites WHERE user_id = NEW.user_id AND (id IS NOT NEW.id)) >= 300;
    END
    """,
            """CREATE TRIGGER fh_imba_favourites_update BEFORE UPDATE OF user_id ON favourites FOR EACH ROW
    BEGIN /*fh:fh_imba_favourites:31b52576ef33:a8a2c9a8c8f5*/
      SELECT RAISE(ABORT, 'fh:fh_imba_favourites') WHERE (SELECT count(*) FROM favourites WHERE user_id = NEW.user_id AND (id IS NOT NEW.id) AND (id IS NOT OLD.id)) >= 300;
    END
    """,
            "UPDATE favourites SET user_id = user_id",
        ],
    )


def downgrade() -> None:
    """Take back."""
    op.detach(
        "fh_imba_favourites",
        postgresql=[
            "DROP TRIGGER IF EXISTS fh_imba_favourites_guard ON favourites",
            "DROP FUNCTION IF EXISTS fh_imba_favourites_guard()",
            "DROP INDEX IF EXISTS fh_imba_favourites_look",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS fh_imba_favourites_update",
            "DROP TRIGGER IF EXISTS fh_imba_favourites_insert",
            "DROP INDEX IF EXISTS fh_imba_favourites_look",
        ],
    )
    op.detach(
        "fh_imba_favourite_once",
        postgresql=[
            "DROP INDEX IF EXISTS fh_imba_favourite_once",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_imba_favourite_once",
        ],
    )
    with op.batch_alter_table("favourites", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_favourites_user_id"))
        batch_op.drop_index(batch_op.f("ix_favourites_property_id"))
        batch_op.drop_index(batch_op.f("ix_favourites_created_at"))

    op.drop_table("favourites")
