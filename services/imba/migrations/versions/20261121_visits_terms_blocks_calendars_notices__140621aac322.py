"""visits terms blocks calendars notices media

Revision: 140621aac322
Revises: 0d8c3ce3ab33
Created: 2026-11-21 15:40:55.336011
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "140621aac322"
down_revision = "0d8c3ce3ab33"
branch_labels = None
depends_on = None


# For the rows that were there: what they are taken for, which new ones have to say.
ADDED = {
    "properties": {"street": sa.String(length=200), "time_zone": sa.String(length=64)},
    "reservations": {
        "time_zone": sa.String(length=64),
        "price_lines": sa.JSON(),
        "cancellation": sa.JSON(),
        "deposit_amount": sa.BigInteger(),
        "deposit_status": sa.String(length=20),
    },
    "verification_requests": {"documents": sa.JSON()},
}
# A stay of before: from 15:00 to 11:00 by the only clock there was, one price, the terms that were everybody's.
HOURS = {
    "sqlite": ("check_in || ' 15:00:00.000000'", "check_out || ' 11:00:00.000000'"),
    "postgresql": ("(check_in + time '15:00') AT TIME ZONE 'UTC'", "(check_out + time '11:00') AT TIME ZONE 'UTC'"),
}
STAYS = """
UPDATE reservations SET starts_at = {start}, ends_at = {end},
  price_lines = CAST('[{{"kind": "nights", "amount": ' || total_amount || '}}]' AS {json}),
  cancellation = '[{{"days_before": 1, "percent": 100}}]'
"""
NIGHTS = """
INSERT INTO blocks (id, kind, property_id, start, "end", note, expires_at, created_at, updated_at, row_version)
SELECT id, 'stay', property_id, check_in, check_out, '', expires_at, created_at, updated_at, 1
FROM reservations WHERE status IN ('pending', 'confirmed')
"""


def _give_stays_their_hours_and_nights() -> None:
    dialect = op.get_bind().dialect.name
    start, end = HOURS[dialect]
    op.execute(STAYS.format(start=start, end=end, json="json" if dialect == "postgresql" else "text"))
    op.execute(NIGHTS)


def _forget_defaults() -> None:
    for table, columns in ADDED.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, type_ in columns.items():
                batch_op.alter_column(name, existing_type=type_, server_default=None)


def upgrade() -> None:
    """Apply."""
    op.detach(
        "fh_imba_dates_taken",
        postgresql=[
            "DROP TRIGGER IF EXISTS fh_imba_dates_taken_guard ON reservations",
            "DROP FUNCTION IF EXISTS fh_imba_dates_taken_guard()",
            "ALTER TABLE reservations DROP CONSTRAINT IF EXISTS fh_imba_dates_taken",
            "DROP INDEX IF EXISTS fh_imba_dates_taken_look",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS fh_imba_dates_taken_update",
            "DROP TRIGGER IF EXISTS fh_imba_dates_taken_insert",
            "DROP INDEX IF EXISTS fh_imba_dates_taken_look",
        ],
    )
    op.detach(
        "fh_imba_verification_open",
        postgresql=[
            "DROP INDEX IF EXISTS fh_imba_verification_open",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_imba_verification_open",
        ],
    )
    op.create_table(
        "notice_preferences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "verification",
                "reservation",
                "visit",
                "calendar",
                "message",
                "review",
                "alert",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("mail", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notice_preferences_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_preferences")),
    )
    with op.batch_alter_table("notice_preferences", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_preferences_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_notice_preferences_user_id"), ["user_id"], unique=False)

    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "verification",
                "reservation",
                "visit",
                "calendar",
                "message",
                "review",
                "alert",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("link", sa.String(length=500), nullable=True),
        sa.Column("read_at", UTCDateTime(), nullable=True),
        sa.Column("once_key", sa.String(length=120), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notices_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notices_created_at"), ["created_at"], unique=False)
        batch_op.create_index("ix_notices_unread", ["user_id", "read_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_notices_user_id"), ["user_id"], unique=False)

    op.create_table(
        "calendars",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("property_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("status", sa.Enum("new", "synced", "failed", native_enum=False, length=20), nullable=False),
        sa.Column("failure", sa.String(length=500), nullable=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("synced_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["property_id"], ["properties.id"], name=op.f("fk_calendars_property_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendars")),
    )
    with op.batch_alter_table("calendars", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_calendars_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_calendars_property_id"), ["property_id"], unique=False)

    op.create_table(
        "media",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("property_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("status", sa.Enum("processing", "ready", "failed", native_enum=False, length=20), nullable=False),
        sa.Column("failure", sa.String(length=200), nullable=True),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("renditions", sa.JSON(), nullable=True),
        sa.Column("alt_text", sa.String(length=500), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_cover", sa.Boolean(), nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_media_owner_id")),
        sa.ForeignKeyConstraint(["property_id"], ["properties.id"], name=op.f("fk_media_property_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
    )
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_media_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_media_deleted_at"), ["deleted_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_media_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_media_position"), ["position"], unique=False)
        batch_op.create_index(batch_op.f("ix_media_property_id"), ["property_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_media_purpose"), ["purpose"], unique=False)
        batch_op.create_index(batch_op.f("ix_media_status"), ["status"], unique=False)

    op.create_table(
        "blocks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Enum("owner", "stay", "imported", native_enum=False, length=20), nullable=False),
        sa.Column("property_id", sa.Uuid(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.Column("calendar_id", sa.Uuid(), nullable=True),
        sa.Column("uid", sa.String(length=512), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendars.id"], name=op.f("fk_blocks_calendar_id")),
        sa.ForeignKeyConstraint(["property_id"], ["properties.id"], name=op.f("fk_blocks_property_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocks")),
    )
    with op.batch_alter_table("blocks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_blocks_calendar_id"), ["calendar_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_blocks_created_at"), ["created_at"], unique=False)
        batch_op.create_index("ix_blocks_nights", ["property_id", "start", "end"], unique=False)
        batch_op.create_index(batch_op.f("ix_blocks_start"), ["start"], unique=False)

    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.add_column(sa.Column("street", sa.String(length=200), server_default="", nullable=False))
        batch_op.add_column(sa.Column("time_zone", sa.String(length=64), server_default="UTC", nullable=False))
        batch_op.add_column(sa.Column("booking_terms", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("visiting_hours", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("cover_id", sa.Uuid(), nullable=True))

    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("starts_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("ends_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("clear_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("time_zone", sa.String(length=64), server_default="UTC", nullable=False))
        batch_op.add_column(sa.Column("price_lines", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("cancellation", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("deposit_amount", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column(
                "deposit_status",
                sa.Enum("none", "due", "released", native_enum=False, length=20),
                server_default="none",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("refund_amount", sa.BigInteger(), nullable=True))
        batch_op.alter_column("check_in", existing_type=sa.DATE(), nullable=True)
        batch_op.alter_column("check_out", existing_type=sa.DATE(), nullable=True)
        batch_op.alter_column("guests", existing_type=sa.INTEGER(), nullable=True)
        batch_op.alter_column("total_amount", existing_type=sa.BIGINT(), nullable=True)
        batch_op.alter_column("currency", existing_type=sa.VARCHAR(length=3), nullable=True)
        batch_op.drop_index(batch_op.f("ix_reservations_property_days"))
        batch_op.create_index("ix_reservations_property_start", ["property_id", "starts_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_reservations_starts_at"), ["starts_at"], unique=False)
        batch_op.drop_constraint(batch_op.f("ck_reservations_nights"), type_="check")

    _give_stays_their_hours_and_nights()
    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.alter_column("starts_at", existing_type=UTCDateTime(), nullable=False)
        batch_op.alter_column("ends_at", existing_type=UTCDateTime(), nullable=False)
        batch_op.create_check_constraint(
            batch_op.f("ck_reservations_stay"), "kind = 'visit' OR (check_in < check_out AND total_amount IS NOT NULL)"
        )
        batch_op.create_check_constraint(batch_op.f("ck_reservations_times"), "starts_at < ends_at")
        batch_op.create_check_constraint(batch_op.f("ck_reservations_visit"), "kind = 'stay' OR clear_at IS NOT NULL")

    with op.batch_alter_table("verification_requests", schema=None) as batch_op:
        batch_op.add_column(sa.Column("documents", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("note", sa.String(length=1000), nullable=True))
        batch_op.add_column(sa.Column("claimed_by_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("claimed_until", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("expires_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("redacted_at", UTCDateTime(), nullable=True))
        batch_op.create_index("ix_verification_requests_expiring", ["status", "expires_on"], unique=False)
        batch_op.create_index("ix_verification_requests_redactable", ["redacted_at", "decided_at"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_verification_requests_claimed_by_id"), "users", ["claimed_by_id"], ["id"]
        )

    _forget_defaults()

    op.attach(
        "fh_imba_one_preference",
        postgresql=[
            "CREATE UNIQUE INDEX fh_imba_one_preference ON notice_preferences (user_id, kind)",
            "COMMENT ON INDEX fh_imba_one_preference IS 'fh:fh_imba_one_preference:903cc58cca36:2d4c5089592f'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_imba_one_preference ON notice_preferences (/*fh:fh_imba_one_preference:903cc58cca36:d00a2d41a468*/user_id, kind, (user_id IS NULL))",
        ],
    )
    op.attach(
        "fh_imba_told_once",
        postgresql=[
            "CREATE UNIQUE INDEX fh_imba_told_once ON notices (user_id, once_key)",
            "COMMENT ON INDEX fh_imba_told_once IS 'fh:fh_imba_told_once:125bbc98b5b3:ae01c72ac0f3'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_imba_told_once ON notices (/*fh:fh_imba_told_once:125bbc98b5b3:7d42fac6db16*/user_id, once_key, (user_id IS NULL))",
        ],
    )
    op.attach(
        "fh_media_cover",
        postgresql=[
            "CREATE UNIQUE INDEX fh_media_cover ON media (property_id) WHERE (is_cover IS true AND deleted_at IS NULL)",
            "COMMENT ON INDEX fh_media_cover IS 'fh:fh_media_cover:03cc8f44e435:3436ce9d8080'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_media_cover ON media (/*fh:fh_media_cover:5b57ff17c546:32e4bde11fca*/property_id, (property_id IS NULL)) WHERE (is_cover IS 1 AND deleted_at IS NULL)",
        ],
    )
    op.attach(
        "fh_imba_visit_taken",
        postgresql=[
            "CREATE INDEX fh_imba_visit_taken_look ON reservations (property_id, starts_at) WHERE (kind = 'visit' AND status IN ('pending', 'confirmed'))",
            "COMMENT ON INDEX fh_imba_visit_taken_look IS 'fh:fh_imba_visit_taken:8a2e44710b70:380f7bf8bd26'",
            """DO $fh$
    BEGIN
      CREATE EXTENSION IF NOT EXISTS btree_gist;
    EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR unique_violation THEN
      RAISE NOTICE 'btree_gist is not available: the trigger keeps the rule alone';
    END
    $fh$
    """,
            """DO $fh$
    BEGIN
      IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'btree_gist') THEN
        ALTER TABLE reservations ADD CONSTRAINT fh_imba_visit_taken EXCLUDE USING gist (property_id WITH =, tstzrange(starts_at, clear_at, '[)') WITH &&) WHERE (kind = 'visit' AND status IN ('pending', 'confirmed'));
        COMMENT ON CONSTRAINT fh_imba_visit_taken ON reservations IS 'fh:fh_imba_visit_taken:8a2e44710b70:6c8fc38a77ef';
      END IF;
    END
    $fh$
    """,
            """CREATE OR REPLACE FUNCTION fh_imba_visit_taken_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $fh$
    BEGIN
      IF NEW.starts_at >= NEW.clear_at THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'fh_imba_visit_taken_order', MESSAGE = 'fh:fh_imba_visit_taken_order';
      END IF;
      IF TG_OP = 'UPDATE' AND (OLD.property_id) IS DISTINCT FROM (NEW.property_id) THEN
        PERFORM pg_advisory_xact_lock(least(hashtextextended('fh_imba_visit_taken' || '/' || OLD.property_id::text, 0), hashtextextended('fh_imba_visit_taken' || '/' || NEW.property_id::text, 0)));
        PERFORM pg_advisory_xact_lock(greatest(hashtextextended('fh_imba_visit_taken' || '/' || OLD.property_id::text, 0), hashtextextended('fh_imba_visit_taken' || '/' || NEW.property_id::text, 0)));
      ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended('fh_imba_visit_taken' || '/' || NEW.property_id::text, 0));
      END IF;
      IF current_setting('transaction_isolation') = 'repeatable read' AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'x' AND conname = 'fh_imba_visit_taken') THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
          MESSAGE = 'fh_imba_visit_taken needs READ COMMITTED or SERIALIZABLE';
      END IF;
      IF EXISTS (SELECT 1 FROM (SELECT clear_at FROM reservations WHERE property_id = NEW.property_id AND (kind = 'visit' AND status IN ('pending', 'confirmed')) AND (id IS DISTINCT FROM NEW.id) AND (id IS DISTINCT FROM OLD.id) AND (NEW.clear_at IS NULL OR starts_at < NEW.clear_at) ORDER BY starts_at DESC LIMIT 1) AS last_before WHERE (clear_at IS NULL OR clear_at > NEW.starts_at)) THEN
        RAISE EXCEPTION USING ERRCODE = '23P01', CONSTRAINT = 'fh_imba_visit_taken', MESSAGE = 'fh:fh_imba_visit_taken';
      END IF;
      RETURN NEW;
    END
    $fh$
    """,
            "COMMENT ON FUNCTION fh_imba_visit_taken_guard() IS 'fh:fh_imba_visit_taken:8a2e44710b70:db13ff5ac11a'",
            "CREATE TRIGGER fh_imba_visit_taken_guard BEFORE INSERT OR UPDATE OF property_id, starts_at, clear_at, kind, status ON reservations FOR EACH ROW WHEN (NEW.kind = 'visit' AND NEW.status IN ('pending', 'confirmed')) EXECUTE FUNCTION fh_imba_visit_taken_guard()",
            "COMMENT ON TRIGGER fh_imba_visit_taken_guard ON reservations IS 'fh:fh_imba_visit_taken:8a2e44710b70:ffbaaebdf5f5'",
            """DO $fh$
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'x' AND conname = 'fh_imba_visit_taken') THEN
        UPDATE reservations SET starts_at = starts_at WHERE kind = 'visit' AND status IN ('pending', 'confirmed');
      END IF;
    END
    $fh$
    """,
        ],
        sqlite=[
            "CREATE INDEX fh_imba_visit_taken_look ON reservations (/*fh:fh_imba_visit_taken:8a2e44710b70:9bac9c8e663d*/property_id, starts_at, clear_at) WHERE (kind = 'visit' AND status IN ('pending', 'confirmed'))",
            """CREATE TRIGGER fh_imba_visit_taken_insert BEFORE INSERT ON reservations FOR EACH ROW WHEN NEW.kind = 'visit' AND NEW.status IN ('pending', 'confirmed')
    BEGIN /*fh:fh_imba_visit_taken:8a2e44710b70:b0218d4fed13*/
      SELECT RAISE(ABORT, 'fh:fh_imba_visit_taken_order') WHERE NEW.starts_at >= NEW.clear_at;
      SELECT RAISE(ABORT, 'fh:fh_imba_visit_taken') WHERE EXISTS (SELECT 1 FROM (SELECT clear_at FROM reservations WHERE property_id = NEW.property_id AND (kind = 'visit' AND status IN ('pending', 'confirmed')) AND (id IS NOT NEW.id) AND (NEW.clear_at IS NULL OR starts_at < NEW.clear_at) ORDER BY starts_at DESC LIMIT 1) AS last_before WHERE (clear_at IS NULL OR clear_at > NEW.starts_at));
    END
    """,
            """CREATE TRIGGER fh_imba_visit_taken_update BEFORE UPDATE OF property_id, starts_at, clear_at, kind, status ON reservations FOR EACH ROW WHEN NEW.kind = 'visit' AND NEW.status IN ('pending', 'confirmed')
    BEGIN /*fh:fh_imba_visit_taken:8a2e44710b70:53f4d85fdb43*/
      SELECT RAISE(ABORT, 'fh:fh_imba_visit_taken_order') WHERE NEW.starts_at >= NEW.clear_at;
      SELECT RAISE(ABORT, 'fh:fh_imba_visit_taken') WHERE EXISTS (SELECT 1 FROM (SELECT clear_at FROM reservations WHERE property_id = NEW.property_id AND (kind = 'visit' AND status IN ('pending', 'confirmed')) AND (id IS NOT NEW.id) AND (id IS NOT OLD.id) AND (NEW.clear_at IS NULL OR starts_at < NEW.clear_at) ORDER BY starts_at DESC LIMIT 1) AS last_before WHERE (clear_at IS NULL OR clear_at > NEW.starts_at));
    END
    """,
            "UPDATE reservations SET starts_at = starts_at WHERE kind = 'visit' AND status IN ('pending', 'confirmed')",
        ],
    )
    op.attach(
        "fh_imba_visiting_elsewhere",
        postgresql=[
            "CREATE INDEX fh_imba_visiting_elsewhere_look ON reservations (tenant_id, starts_at) WHERE (kind = 'visit' AND status IN ('pending', 'confirmed'))",
            "COMMENT ON INDEX fh_imba_visiting_elsewhere_look IS 'fh:fh_imba_visiting_elsewhere:233a6212799a:28124e035146'",
            """DO $fh$
    BEGIN
      CREATE EXTENSION IF NOT EXISTS btree_gist;
    EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR unique_violation THEN
      RAISE NOTICE 'btree_gist is not available: the trigger keeps the rule alone';
    END
    $fh$
    """,
            """DO $fh$
    BEGIN
      IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'btree_gist') THEN
        ALTER TABLE reservations ADD CONSTRAINT fh_imba_visiting_elsewhere EXCLUDE USING gist (tenant_id WITH =, tstzrange(starts_at, ends_at, '[)') WITH &&) WHERE (kind = 'visit' AND status IN ('pending', 'confirmed'));
        COMMENT ON CONSTRAINT fh_imba_visiting_elsewhere ON reservations IS 'fh:fh_imba_visiting_elsewhere:233a6212799a:40e9b76fde9b';
      END IF;
    END
    $fh$
    """,
            """CREATE OR REPLACE FUNCTION fh_imba_visiting_elsewhere_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $fh$
    BEGIN
      IF NEW.starts_at >= NEW.ends_at THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'fh_imba_visiting_elsewhere_order', MESSAGE = 'fh:fh_imba_visiting_elsewhere_order';
      END IF;
      IF TG_OP = 'UPDATE' AND (OLD.tenant_id) IS DISTINCT FROM (NEW.tenant_id) THEN
        PERFORM pg_advisory_xact_lock(least(hashtextextended('fh_imba_visiting_elsewhere' || '/' || OLD.tenant_id::text, 0), hashtextextended('fh_imba_visiting_elsewhere' || '/' || NEW.tenant_id::text, 0)));
        PERFORM pg_advisory_xact_lock(greatest(hashtextextended('fh_imba_visiting_elsewhere' || '/' || OLD.tenant_id::text, 0), hashtextextended('fh_imba_visiting_elsewhere' || '/' || NEW.tenant_id::text, 0)));
      ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended('fh_imba_visiting_elsewhere' || '/' || NEW.tenant_id::text, 0));
      END IF;
      IF current_setting('transaction_isolation') = 'repeatable read' AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'x' AND conname = 'fh_imba_visiting_elsewhere') THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
          MESSAGE = 'fh_imba_visiting_elsewhere needs READ COMMITTED or SERIALIZABLE';
      END IF;
      IF EXISTS (SELECT 1 FROM (SELECT ends_at FROM reservations WHERE tenant_id = NEW.tenant_id AND (kind = 'visit' AND status IN ('pending', 'confirmed')) AND (id IS DISTINCT FROM NEW.id) AND (id IS DISTINCT FROM OLD.id) AND starts_at < NEW.ends_at ORDER BY starts_at DESC LIMIT 1) AS last_before WHERE ends_at > NEW.starts_at) THEN
        RAISE EXCEPTION USING ERRCODE = '23P01', CONSTRAINT = 'fh_imba_visiting_elsewhere', MESSAGE = 'fh:fh_imba_visiting_elsewhere';
      END IF;
      RETURN NEW;
    END
    $fh$
    """,
            "COMMENT ON FUNCTION fh_imba_visiting_elsewhere_guard() IS 'fh:fh_imba_visiting_elsewhere:233a6212799a:e1f8872f77e6'",
            "CREATE TRIGGER fh_imba_visiting_elsewhere_guard BEFORE INSERT OR UPDATE OF tenant_id, starts_at, ends_at, kind, status ON reservations FOR EACH ROW WHEN (NEW.kind = 'visit' AND NEW.status IN ('pending', 'confirmed')) EXECUTE FUNCTION fh_imba_visiting_elsewhere_guard()",
            "COMMENT ON TRIGGER fh_imba_visiting_elsewhere_guard ON reservations IS 'fh:fh_imba_visiting_elsewhere:233a6212799a:3e68d772a28e'",
            """DO $fh$
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'x' AND conname = 'fh_imba_visiting_elsewhere') THEN
        UPDATE reservations SET starts_at = starts_at WHERE kind = 'visit' AND status IN ('pending', 'confirmed');
      END IF;
    END
    $fh$
    """,
        ],
        sqlite=[
            "CREATE INDEX fh_imba_visiting_elsewhere_look ON reservations (/*fh:fh_imba_visiting_elsewhere:233a6212799a:75074b3a34a9*/tenant_id, starts_at, ends_at) WHERE (kind = 'visit' AND status IN ('pending', 'confirmed'))",
            """CREATE TRIGGER fh_imba_visiting_elsewhere_insert BEFORE INSERT ON reservations FOR EACH ROW WHEN NEW.kind = 'visit' AND NEW.status IN ('pending', 'confirmed')
    BEGIN /*fh:fh_imba_visiting_elsewhere:233a6212799a:3411ac567c26*/
      SELECT RAISE(ABORT, 'fh:fh_imba_visiting_elsewhere_order') WHERE NEW.starts_at >= NEW.ends_at;
      SELECT RAISE(ABORT, 'fh:fh_imba_visiting_elsewhere') WHERE EXISTS (SELECT 1 FROM (SELECT ends_at FROM reservations WHERE tenant_id = NEW.tenant_id AND (kind = 'visit' AND status IN ('pending', 'confirmed')) AND (id IS NOT NEW.id) AND starts_at < NEW.ends_at ORDER BY starts_at DESC LIMIT 1) AS last_before WHERE ends_at > NEW.starts_at);
    END
    """,
            """CREATE TRIGGER fh_imba_visiting_elsewhere_update BEFORE UPDATE OF tenant_id, starts_at, ends_at, kind, status ON reservations FOR EACH ROW WHEN NEW.kind = 'visit' AND NEW.status IN ('pending', 'confirmed')
    BEGIN /*fh:fh_imba_visiting_elsewhere:233a6212799a:d77753885660*/
      SELECT RAISE(ABORT, 'fh:fh_imba_visiting_elsewhere_order') WHERE NEW.starts_at >= NEW.ends_at;
      SELECT RAISE(ABORT, 'fh:fh_imba_visiting_elsewhere') WHERE EXISTS (SELECT 1 FROM (SELECT ends_at FROM reservations WHERE tenant_id = NEW.tenant_id AND (kind = 'visit' AND status IN ('pending', 'confirmed')) AND (id IS NOT NEW.id) AND (id IS NOT OLD.id) AND starts_at < NEW.ends_at ORDER BY starts_at DESC LIMIT 1) AS last_before WHERE ends_at > NEW.starts_at);
    END
    """,
            "UPDATE reservations SET starts_at = starts_at WHERE kind = 'visit' AND status IN ('pending', 'confirmed')",
        ],
    )
    op.attach(
        "fh_imba_verification_open",
        postgresql=[
            "CREATE UNIQUE INDEX fh_imba_verification_open ON verification_requests (subject_id) WHERE (status IN ('pending', 'information_needed', 'approved'))",
            "COMMENT ON INDEX fh_imba_verification_open IS 'fh:fh_imba_verification_open:ed0e1b9101b0:25a3b6ac58d0'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_imba_verification_open ON verification_requests (/*fh:fh_imba_verification_open:ed0e1b9101b0:042192cc0398*/subject_id, (subject_id IS NULL)) WHERE (status IN ('pending', 'information_needed', 'approved'))",
        ],
    )
    op.attach(
        "fh_imba_dates_taken",
        postgresql=[
            "CREATE INDEX fh_imba_dates_taken_look ON blocks (property_id, start) WHERE (kind IN ('owner', 'stay'))",
            "COMMENT ON INDEX fh_imba_dates_taken_look IS 'fh:fh_imba_dates_taken:8dedc53fcb95:aa610d5f9ea0'",
            """DO $fh$
    BEGIN
      CREATE EXTENSION IF NOT EXISTS btree_gist;
    EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR unique_violation THEN
      RAISE NOTICE 'btree_gist is not available: the trigger keeps the rule alone';
    END
    $fh$
    """,
            """DO $fh$
    BEGIN
      IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'btree_gist') THEN
        ALTER TABLE blocks ADD CONSTRAINT fh_imba_dates_taken EXCLUDE USING gist (property_id WITH =, daterange(start, "end", '[)') WITH &&) WHERE (kind IN ('owner', 'stay'));
        COMMENT ON CONSTRAINT fh_imba_dates_taken ON blocks IS 'fh:fh_imba_dates_taken:8dedc53fcb95:a09e40b5e7dd';
      END IF;
    END
    $fh$
    """,
            """CREATE OR REPLACE FUNCTION fh_imba_dates_taken_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $fh$
    BEGIN
      IF NEW.start >= NEW."end" THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'fh_imba_dates_taken_order', MESSAGE = 'fh:fh_imba_dates_taken_order';
      END IF;
      IF TG_OP = 'UPDATE' AND (OLD.property_id) IS DISTINCT FROM (NEW.property_id) THEN
        PERFORM pg_advisory_xact_lock(least(hashtextextended('fh_imba_dates_taken' || '/' || OLD.property_id::text, 0), hashtextextended('fh_imba_dates_taken' || '/' || NEW.property_id::text, 0)));
        PERFORM pg_advisory_xact_lock(greatest(hashtextextended('fh_imba_dates_taken' || '/' || OLD.property_id::text, 0), hashtextextended('fh_imba_dates_taken' || '/' || NEW.property_id::text, 0)));
      ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended('fh_imba_dates_taken' || '/' || NEW.property_id::text, 0));
      END IF;
      IF current_setting('transaction_isolation') = 'repeatable read' AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'x' AND conname = 'fh_imba_dates_taken') THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
          MESSAGE = 'fh_imba_dates_taken needs READ COMMITTED or SERIALIZABLE';
      END IF;
      IF EXISTS (SELECT 1 FROM (SELECT "end" FROM blocks WHERE property_id = NEW.property_id AND (kind IN ('owner', 'stay')) AND (id IS DISTINCT FROM NEW.id) AND (id IS DISTINCT FROM OLD.id) AND start < NEW."end" ORDER BY start DESC LIMIT 1) AS last_before WHERE "end" > NEW.start) THEN
        RAISE EXCEPTION USING ERRCODE = '23P01', CONSTRAINT = 'fh_imba_dates_taken', MESSAGE = 'fh:fh_imba_dates_taken';
      END IF;
      RETURN NEW;
    END
    $fh$
    """,
            "COMMENT ON FUNCTION fh_imba_dates_taken_guard() IS 'fh:fh_imba_dates_taken:8dedc53fcb95:614767f30e50'",
            "CREATE TRIGGER fh_imba_dates_taken_guard BEFORE INSERT OR UPDATE OF property_id, start, \"end\", kind ON blocks FOR EACH ROW WHEN (NEW.kind IN ('owner', 'stay')) EXECUTE FUNCTION fh_imba_dates_taken_guard()",
            "COMMENT ON TRIGGER fh_imba_dates_taken_guard ON blocks IS 'fh:fh_imba_dates_taken:8dedc53fcb95:b45879b8e878'",
            """DO $fh$
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'x' AND conname = 'fh_imba_dates_taken') THEN
        UPDATE blocks SET start = start WHERE kind IN ('owner', 'stay');
      END IF;
    END
    $fh$
    """,
        ],
        sqlite=[
            "CREATE INDEX fh_imba_dates_taken_look ON blocks (/*fh:fh_imba_dates_taken:8dedc53fcb95:91015d99c87a*/property_id, start, \"end\") WHERE (kind IN ('owner', 'stay'))",
            """CREATE TRIGGER fh_imba_dates_taken_insert BEFORE INSERT ON blocks FOR EACH ROW WHEN NEW.kind IN ('owner', 'stay')
    BEGIN /*fh:fh_imba_dates_taken:8dedc53fcb95:aac89339580f*/
      SELECT RAISE(ABORT, 'fh:fh_imba_dates_taken_order') WHERE NEW.start >= NEW."end";
      SELECT RAISE(ABORT, 'fh:fh_imba_dates_taken') WHERE EXISTS (SELECT 1 FROM (SELECT "end" FROM blocks WHERE property_id = NEW.property_id AND (kind IN ('owner', 'stay')) AND (id IS NOT NEW.id) AND start < NEW."end" ORDER BY start DESC LIMIT 1) AS last_before WHERE "end" > NEW.start);
    END
    """,
            """CREATE TRIGGER fh_imba_dates_taken_update BEFORE UPDATE OF property_id, start, "end", kind ON blocks FOR EACH ROW WHEN NEW.kind IN ('owner', 'stay')
    BEGIN /*fh:fh_imba_dates_taken:8dedc53fcb95:edfc78ec7460*/
      SELECT RAISE(ABORT, 'fh:fh_imba_dates_taken_order') WHERE NEW.start >= NEW."end";
      SELECT RAISE(ABORT, 'fh:fh_imba_dates_taken') WHERE EXISTS (SELECT 1 FROM (SELECT "end" FROM blocks WHERE property_id = NEW.property_id AND (kind IN ('owner', 'stay')) AND (id IS NOT NEW.id) AND (id IS NOT OLD.id) AND start < NEW."end" ORDER BY start DESC LIMIT 1) AS last_before WHERE "end" > NEW.start);
    END
    """,
            "UPDATE blocks SET start = start WHERE kind IN ('owner', 'stay')",
        ],
    )


def downgrade() -> None:
    """Take back."""
    op.detach(
        "fh_imba_dates_taken",
        postgresql=[
            "DROP TRIGGER IF EXISTS fh_imba_dates_taken_guard ON blocks",
            "DROP FUNCTION IF EXISTS fh_imba_dates_taken_guard()",
            "ALTER TABLE blocks DROP CONSTRAINT IF EXISTS fh_imba_dates_taken",
            "DROP INDEX IF EXISTS fh_imba_dates_taken_look",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS fh_imba_dates_taken_update",
            "DROP TRIGGER IF EXISTS fh_imba_dates_taken_insert",
            "DROP INDEX IF EXISTS fh_imba_dates_taken_look",
        ],
    )
    op.detach(
        "fh_imba_verification_open",
        postgresql=[
            "DROP INDEX IF EXISTS fh_imba_verification_open",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_imba_verification_open",
        ],
    )
    op.detach(
        "fh_imba_visiting_elsewhere",
        postgresql=[
            "DROP TRIGGER IF EXISTS fh_imba_visiting_elsewhere_guard ON reservations",
            "DROP FUNCTION IF EXISTS fh_imba_visiting_elsewhere_guard()",
            "ALTER TABLE reservations DROP CONSTRAINT IF EXISTS fh_imba_visiting_elsewhere",
            "DROP INDEX IF EXISTS fh_imba_visiting_elsewhere_look",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS fh_imba_visiting_elsewhere_update",
            "DROP TRIGGER IF EXISTS fh_imba_visiting_elsewhere_insert",
            "DROP INDEX IF EXISTS fh_imba_visiting_elsewhere_look",
        ],
    )
    op.detach(
        "fh_imba_visit_taken",
        postgresql=[
            "DROP TRIGGER IF EXISTS fh_imba_visit_taken_guard ON reservations",
            "DROP FUNCTION IF EXISTS fh_imba_visit_taken_guard()",
            "ALTER TABLE reservations DROP CONSTRAINT IF EXISTS fh_imba_visit_taken",
            "DROP INDEX IF EXISTS fh_imba_visit_taken_look",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS fh_imba_visit_taken_update",
            "DROP TRIGGER IF EXISTS fh_imba_visit_taken_insert",
            "DROP INDEX IF EXISTS fh_imba_visit_taken_look",
        ],
    )
    op.detach(
        "fh_media_cover",
        postgresql=[
            "DROP INDEX IF EXISTS fh_media_cover",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_media_cover",
        ],
    )
    op.detach(
        "fh_imba_told_once",
        postgresql=[
            "DROP INDEX IF EXISTS fh_imba_told_once",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_imba_told_once",
        ],
    )
    op.detach(
        "fh_imba_one_preference",
        postgresql=[
            "DROP INDEX IF EXISTS fh_imba_one_preference",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_imba_one_preference",
        ],
    )
    with op.batch_alter_table("verification_requests", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_verification_requests_claimed_by_id"), type_="foreignkey")
        batch_op.drop_index("ix_verification_requests_redactable")
        batch_op.drop_index("ix_verification_requests_expiring")
        batch_op.drop_column("redacted_at")
        batch_op.drop_column("expires_on")
        batch_op.drop_column("claimed_until")
        batch_op.drop_column("claimed_by_id")
        batch_op.drop_column("note")
        batch_op.drop_column("documents")

    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_reservations_visit"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reservations_times"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_reservations_stay"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_reservations_nights"), "check_in < check_out")
        batch_op.drop_index(batch_op.f("ix_reservations_starts_at"))
        batch_op.drop_index("ix_reservations_property_start")
        batch_op.create_index(batch_op.f("ix_reservations_property_days"), ["property_id", "check_in"], unique=False)
        batch_op.alter_column("currency", existing_type=sa.VARCHAR(length=3), nullable=False)
        batch_op.alter_column("total_amount", existing_type=sa.BIGINT(), nullable=False)
        batch_op.alter_column("guests", existing_type=sa.INTEGER(), nullable=False)
        batch_op.alter_column("check_out", existing_type=sa.DATE(), nullable=False)
        batch_op.alter_column("check_in", existing_type=sa.DATE(), nullable=False)
        batch_op.drop_column("refund_amount")
        batch_op.drop_column("deposit_status")
        batch_op.drop_column("deposit_amount")
        batch_op.drop_column("cancellation")
        batch_op.drop_column("price_lines")
        batch_op.drop_column("time_zone")
        batch_op.drop_column("clear_at")
        batch_op.drop_column("ends_at")
        batch_op.drop_column("starts_at")

    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.drop_column("cover_id")
        batch_op.drop_column("visiting_hours")
        batch_op.drop_column("booking_terms")
        batch_op.drop_column("time_zone")
        batch_op.drop_column("street")

    with op.batch_alter_table("blocks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_blocks_start"))
        batch_op.drop_index("ix_blocks_nights")
        batch_op.drop_index(batch_op.f("ix_blocks_created_at"))
        batch_op.drop_index(batch_op.f("ix_blocks_calendar_id"))

    op.drop_table("blocks")
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_media_status"))
        batch_op.drop_index(batch_op.f("ix_media_purpose"))
        batch_op.drop_index(batch_op.f("ix_media_property_id"))
        batch_op.drop_index(batch_op.f("ix_media_position"))
        batch_op.drop_index(batch_op.f("ix_media_owner_id"))
        batch_op.drop_index(batch_op.f("ix_media_deleted_at"))
        batch_op.drop_index(batch_op.f("ix_media_created_at"))

    op.drop_table("media")
    with op.batch_alter_table("calendars", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_calendars_property_id"))
        batch_op.drop_index(batch_op.f("ix_calendars_created_at"))

    op.drop_table("calendars")
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notices_user_id"))
        batch_op.drop_index("ix_notices_unread")
        batch_op.drop_index(batch_op.f("ix_notices_created_at"))

    op.drop_table("notices")
    with op.batch_alter_table("notice_preferences", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_preferences_user_id"))
        batch_op.drop_index(batch_op.f("ix_notice_preferences_created_at"))

    op.drop_table("notice_preferences")
    op.attach(
        "fh_imba_verification_open",
        postgresql=[
            "CREATE UNIQUE INDEX fh_imba_verification_open ON verification_requests (subject_id) WHERE (status IN ('pending', 'approved'))",
            "COMMENT ON INDEX fh_imba_verification_open IS 'fh:fh_imba_verification_open:35f2096fb9de:4c4a22ca7308'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_imba_verification_open ON verification_requests (/*fh:fh_imba_verification_open:35f2096fb9de:7ea06b725748*/subject_id, (subject_id IS NULL)) WHERE (status IN ('pending', 'approved'))",
        ],
    )
    op.attach(
        "fh_imba_dates_taken",
        postgresql=[
            "CREATE INDEX fh_imba_dates_taken_look ON reservations (property_id, check_in) WHERE (status IN ('pending', 'confirmed'))",
            "COMMENT ON INDEX fh_imba_dates_taken_look IS 'fh:fh_imba_dates_taken:25cce546ed0f:77efd43332d6'",
            """DO $fh$
    BEGIN
      CREATE EXTENSION IF NOT EXISTS btree_gist;
    EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR unique_violation THEN
      RAISE NOTICE 'btree_gist is not available: the trigger keeps the rule alone';
    END
    $fh$
    """,
            """DO $fh$
    BEGIN
      IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'btree_gist') THEN
        ALTER TABLE reservations ADD CONSTRAINT fh_imba_dates_taken EXCLUDE USING gist (property_id WITH =, daterange(check_in, check_out, '[)') WITH &&) WHERE (status IN ('pending', 'confirmed'));
        COMMENT ON CONSTRAINT fh_imba_dates_taken ON reservations IS 'fh:fh_imba_dates_taken:25cce546ed0f:75375b81d450';
      END IF;
    END
    $fh$
    """,
            """CREATE OR REPLACE FUNCTION fh_imba_dates_taken_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $fh$
    BEGIN
      IF NEW.check_in >= NEW.check_out THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'fh_imba_dates_taken_order', MESSAGE = 'fh:fh_imba_dates_taken_order';
      END IF;
      IF TG_OP = 'UPDATE' AND (OLD.property_id) IS DISTINCT FROM (NEW.property_id) THEN
        PERFORM pg_advisory_xact_lock(least(hashtextextended('fh_imba_dates_taken' || '/' || OLD.property_id::text, 0), hashtextextended('fh_imba_dates_taken' || '/' || NEW.property_id::text, 0)));
        PERFORM pg_advisory_xact_lock(greatest(hashtextextended('fh_imba_dates_taken' || '/' || OLD.property_id::text, 0), hashtextextended('fh_imba_dates_taken' || '/' || NEW.property_id::text, 0)));
      ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended('fh_imba_dates_taken' || '/' || NEW.property_id::text, 0));
      END IF;
      IF current_setting('transaction_isolation') = 'repeatable read' AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'x' AND conname = 'fh_imba_dates_taken') THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
          MESSAGE = 'fh_imba_dates_taken needs READ COMMITTED or SERIALIZABLE';
      END IF;
      IF EXISTS (SELECT 1 FROM (SELECT check_out FROM reservations WHERE property_id = NEW.property_id AND (status IN ('pending', 'confirmed')) AND (id IS DISTINCT FROM NEW.id) AND (id IS DISTINCT FROM OLD.id) AND check_in < NEW.check_out ORDER BY check_in DESC LIMIT 1) AS last_before WHERE check_out > NEW.check_in) THEN
        RAISE EXCEPTION USING ERRCODE = '23P01', CONSTRAINT = 'fh_imba_dates_taken', MESSAGE = 'fh:fh_imba_dates_taken';
      END IF;
      RETURN NEW;
    END
    $fh$
    """,
            "COMMENT ON FUNCTION fh_imba_dates_taken_guard() IS 'fh:fh_imba_dates_taken:25cce546ed0f:0a61054af2cb'",
            "CREATE TRIGGER fh_imba_dates_taken_guard BEFORE INSERT OR UPDATE OF property_id, check_in, check_out, status ON reservations FOR EACH ROW WHEN (NEW.status IN ('pending', 'confirmed')) EXECUTE FUNCTION fh_imba_dates_taken_guard()",
            "COMMENT ON TRIGGER fh_imba_dates_taken_guard ON reservations IS 'fh:fh_imba_dates_taken:25cce546ed0f:b62713718082'",
            """DO $fh$
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'x' AND conname = 'fh_imba_dates_taken') THEN
        UPDATE reservations SET check_in = check_in WHERE status IN ('pending', 'confirmed');
      END IF;
    END
    $fh$
    """,
        ],
        sqlite=[
            "CREATE INDEX fh_imba_dates_taken_look ON reservations (/*fh:fh_imba_dates_taken:25cce546ed0f:b3f14c25458c*/property_id, check_in, check_out) WHERE (status IN ('pending', 'confirmed'))",
            """CREATE TRIGGER fh_imba_dates_taken_insert BEFORE INSERT ON reservations FOR EACH ROW WHEN NEW.status IN ('pending', 'confirmed')
    BEGIN /*fh:fh_imba_dates_taken:25cce546ed0f:0f6546244183*/
      SELECT RAISE(ABORT, 'fh:fh_imba_dates_taken_order') WHERE NEW.check_in >= NEW.check_out;
      SELECT RAISE(ABORT, 'fh:fh_imba_dates_taken') WHERE EXISTS (SELECT 1 FROM (SELECT check_out FROM reservations WHERE property_id = NEW.property_id AND (status IN ('pending', 'confirmed')) AND (id IS NOT NEW.id) AND check_in < NEW.check_out ORDER BY check_in DESC LIMIT 1) AS last_before WHERE check_out > NEW.check_in);
    END
    """,
            """CREATE TRIGGER fh_imba_dates_taken_update BEFORE UPDATE OF property_id, check_in, check_out, status ON reservations FOR EACH ROW WHEN NEW.status IN ('pending', 'confirmed')
    BEGIN /*fh:fh_imba_dates_taken:25cce546ed0f:3b9f34939433*/
      SELECT RAISE(ABORT, 'fh:fh_imba_dates_taken_order') WHERE NEW.check_in >= NEW.check_out;
      SELECT RAISE(ABORT, 'fh:fh_imba_dates_taken') WHERE EXISTS (SELECT 1 FROM (SELECT check_out FROM reservations WHERE property_id = NEW.property_id AND (status IN ('pending', 'confirmed')) AND (id IS NOT NEW.id) AND (id IS NOT OLD.id) AND check_in < NEW.check_out ORDER BY check_in DESC LIMIT 1) AS last_before WHERE check_out > NEW.check_in);
    END
    """,
            "UPDATE reservations SET check_in = check_in WHERE status IN ('pending', 'confirmed')",
        ],
    )
