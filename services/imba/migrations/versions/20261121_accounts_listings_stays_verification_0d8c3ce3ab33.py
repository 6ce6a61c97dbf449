"""accounts, listings, stays, verification

Revision: 0d8c3ce3ab33
Revises: nothing
Created: 2026-11-21 10:41:08.208208
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "0d8c3ce3ab33"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Enum("tenant", "landlord", native_enum=False, length=20), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=960), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("email_verified_at", UTCDateTime(), nullable=True),
        sa.Column("deleted_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_users_created_at"), ["created_at"], unique=False)

    op.create_table(
        "properties",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("landlord_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Enum("draft", "listed", "unlisted", native_enum=False, length=20), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("house", "apartment", "room", "office", "land", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("city", sa.String(length=100), nullable=False),
        sa.Column("region", sa.String(length=100), nullable=False),
        sa.Column("postcode", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("bedrooms", sa.Integer(), nullable=False),
        sa.Column("bathrooms", sa.Double(), nullable=False),
        sa.Column("floor_area_sqm", sa.Double(), nullable=True),
        sa.Column("year_built", sa.Integer(), nullable=True),
        sa.Column("price_amount", sa.BigInteger(), nullable=False),
        sa.Column("price_currency", sa.String(length=3), nullable=False),
        sa.Column("price_per", sa.Enum("sale", "month", "night", native_enum=False, length=20), nullable=False),
        sa.Column("amenities", sa.JSON(), nullable=False),
        sa.Column("deleted_at", UTCDateTime(), nullable=True),
        sa.Column(
            "city_key",
            sa.String(length=500).with_variant(sa.String(length=500, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["landlord_id"], ["users.id"], name=op.f("fk_properties_landlord_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_properties")),
    )
    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_properties_bedrooms"), ["bedrooms"], unique=False)
        batch_op.create_index(batch_op.f("ix_properties_city"), ["city"], unique=False)
        batch_op.create_index(batch_op.f("ix_properties_city_key"), ["city_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_properties_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_properties_floor_area_sqm"), ["floor_area_sqm"], unique=False)
        batch_op.create_index(batch_op.f("ix_properties_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_properties_landlord_id"), ["landlord_id"], unique=False)
        batch_op.create_index("ix_properties_place", ["latitude", "longitude"], unique=False)
        batch_op.create_index(batch_op.f("ix_properties_postcode"), ["postcode"], unique=False)
        batch_op.create_index(batch_op.f("ix_properties_price_amount"), ["price_amount"], unique=False)
        batch_op.create_index(batch_op.f("ix_properties_status"), ["status"], unique=False)

    op.create_table(
        "reservations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Enum("stay", native_enum=False, length=20), nullable=False),
        sa.Column(
            "status",
            sa.Enum("pending", "confirmed", "rejected", "cancelled", "expired", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("property_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("check_in", sa.Date(), nullable=False),
        sa.Column("check_out", sa.Date(), nullable=False),
        sa.Column("guests", sa.Integer(), nullable=False),
        sa.Column("total_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("check_in < check_out", name=op.f("ck_reservations_nights")),
        sa.ForeignKeyConstraint(["property_id"], ["properties.id"], name=op.f("fk_reservations_property_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["users.id"], name=op.f("fk_reservations_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
    )
    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reservations_check_in"), ["check_in"], unique=False)
        batch_op.create_index(batch_op.f("ix_reservations_created_at"), ["created_at"], unique=False)
        batch_op.create_index("ix_reservations_lapsing", ["status", "expires_at"], unique=False)
        batch_op.create_index("ix_reservations_property_days", ["property_id", "check_in"], unique=False)
        batch_op.create_index(batch_op.f("ix_reservations_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "verification_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("landlord_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Enum("identity", "property", native_enum=False, length=20), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("property_id", sa.Uuid(), nullable=True),
        sa.Column("document_ids", sa.JSON(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("pending", "approved", "rejected", "revoked", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("reviewer_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["landlord_id"], ["users.id"], name=op.f("fk_verification_requests_landlord_id")),
        sa.ForeignKeyConstraint(["property_id"], ["properties.id"], name=op.f("fk_verification_requests_property_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["users.id"], name=op.f("fk_verification_requests_reviewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_requests")),
    )
    with op.batch_alter_table("verification_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verification_requests_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_verification_requests_landlord_id"), ["landlord_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_verification_requests_property_id"), ["property_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_verification_requests_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_verification_requests_subject_id"), ["subject_id"], unique=False)

    op.attach(
        "ix_properties_search_terms",
        postgresql=[
            "CREATE INDEX ix_properties_search_terms ON properties USING gin (array_to_tsvector(string_to_array(search, ' ')))",
        ],
        sqlite=[
            "CREATE TABLE properties_fts_rows (n INTEGER PRIMARY KEY, id CHAR(32) NOT NULL UNIQUE)",
            "CREATE VIRTUAL TABLE properties_fts USING fts5(terms, tokenize = 'ascii', detail = 'none', columnsize = 0)",
            "INSERT INTO properties_fts_rows (id) SELECT id FROM properties",
            "INSERT INTO properties_fts (rowid, terms) SELECT r.n, t.search FROM properties_fts_rows AS r JOIN properties AS t ON t.id = r.id",
            "CREATE TRIGGER properties_fts_insert AFTER INSERT ON properties BEGIN INSERT INTO properties_fts_rows (id) VALUES (new.id); INSERT INTO properties_fts (rowid, terms) SELECT n, new.search FROM properties_fts_rows WHERE id = new.id; END",
            "CREATE TRIGGER properties_fts_update AFTER UPDATE OF id, search ON properties WHEN old.id IS NOT new.id OR old.search IS NOT new.search BEGIN UPDATE properties_fts_rows SET id = new.id WHERE id = old.id; UPDATE properties_fts SET terms = new.search WHERE rowid = (SELECT n FROM properties_fts_rows WHERE id = new.id); END",
            "CREATE TRIGGER properties_fts_delete AFTER DELETE ON properties BEGIN DELETE FROM properties_fts WHERE rowid = (SELECT n FROM properties_fts_rows WHERE id = old.id); DELETE FROM properties_fts_rows WHERE id = old.id; END",
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


def downgrade() -> None:
    """Take back."""
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
        "ix_properties_search_terms",
        postgresql=[
            "DROP INDEX IF EXISTS ix_properties_search_terms",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS properties_fts_insert",
            "DROP TRIGGER IF EXISTS properties_fts_update",
            "DROP TRIGGER IF EXISTS properties_fts_delete",
            "DROP TABLE IF EXISTS properties_fts",
            "DROP TABLE IF EXISTS properties_fts_rows",
        ],
    )
    with op.batch_alter_table("verification_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_verification_requests_subject_id"))
        batch_op.drop_index(batch_op.f("ix_verification_requests_status"))
        batch_op.drop_index(batch_op.f("ix_verification_requests_property_id"))
        batch_op.drop_index(batch_op.f("ix_verification_requests_landlord_id"))
        batch_op.drop_index(batch_op.f("ix_verification_requests_created_at"))

    op.drop_table("verification_requests")
    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reservations_tenant_id"))
        batch_op.drop_index("ix_reservations_property_days")
        batch_op.drop_index("ix_reservations_lapsing")
        batch_op.drop_index(batch_op.f("ix_reservations_created_at"))
        batch_op.drop_index(batch_op.f("ix_reservations_check_in"))

    op.drop_table("reservations")
    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_properties_status"))
        batch_op.drop_index(batch_op.f("ix_properties_price_amount"))
        batch_op.drop_index(batch_op.f("ix_properties_postcode"))
        batch_op.drop_index("ix_properties_place")
        batch_op.drop_index(batch_op.f("ix_properties_landlord_id"))
        batch_op.drop_index(batch_op.f("ix_properties_kind"))
        batch_op.drop_index(batch_op.f("ix_properties_floor_area_sqm"))
        batch_op.drop_index(batch_op.f("ix_properties_created_at"))
        batch_op.drop_index(batch_op.f("ix_properties_city_key"))
        batch_op.drop_index(batch_op.f("ix_properties_city"))
        batch_op.drop_index(batch_op.f("ix_properties_bedrooms"))

    op.drop_table("properties")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_users_created_at"))

    op.drop_table("users")
