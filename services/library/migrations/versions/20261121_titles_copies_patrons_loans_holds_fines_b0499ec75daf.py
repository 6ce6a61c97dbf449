"""titles copies patrons loans holds fines

Revision: b0499ec75daf
Revises: nothing
Created: 2026-11-21 20:11:41.086950
"""

import sqlalchemy as sa
from alembic import op

import freehold.resource.search_text
from freehold.resource.base import UTCDateTime

revision = "b0499ec75daf"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "books",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("author", sa.String(length=1000), nullable=False),
        sa.Column("isbn", sa.String(length=10), nullable=True),
        sa.Column("isbn13", sa.String(length=13), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("average_rating", sa.Double(), nullable=True),
        sa.Column("ratings_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("times_borrowed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=True),
        sa.Column("deleted_at", UTCDateTime(), nullable=True),
        sa.Column(
            "title_key",
            sa.String(length=500).with_variant(sa.String(length=500, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "author_key",
            sa.String(length=500).with_variant(sa.String(length=500, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("search", freehold.resource.search_text.SearchDocument(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_books")),
    )
    with op.batch_alter_table("books", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_books_author_key"), ["author_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_books_average_rating"), ["average_rating"], unique=False)
        batch_op.create_index(batch_op.f("ix_books_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_books_isbn"), ["isbn"], unique=False)
        batch_op.create_index(batch_op.f("ix_books_language"), ["language"], unique=False)
        batch_op.create_index("ix_books_popular", ["times_borrowed", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_books_times_borrowed"), ["times_borrowed"], unique=False)
        batch_op.create_index(batch_op.f("ix_books_title_key"), ["title_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_books_year"), ["year"], unique=False)

    op.create_table(
        "libraries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("closed_weekdays", sa.JSON(), nullable=False),
        sa.Column(
            "name_key",
            sa.String(length=500).with_variant(sa.String(length=500, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_libraries")),
    )
    with op.batch_alter_table("libraries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_libraries_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_libraries_name_key"), ["name_key"], unique=False)

    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "full_name_key",
            sa.String(length=500).with_variant(sa.String(length=500, collation="C"), "postgresql"),
            nullable=False,
        ),
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
        batch_op.create_index(batch_op.f("ix_users_full_name_key"), ["full_name_key"], unique=False)

    op.create_table(
        "circulation_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("library_id", sa.Uuid(), nullable=True),
        sa.Column("category", sa.String(length=40), nullable=True),
        sa.Column("item_type", sa.String(length=40), nullable=True),
        sa.Column("loan_limit", sa.Integer(), nullable=True),
        sa.Column("period_length", sa.Integer(), nullable=True),
        sa.Column("period_unit", sa.Enum("days", "hours", native_enum=False, length=20), nullable=True),
        sa.Column("hard_due_on", sa.Date(), nullable=True),
        sa.Column("fine_amount", sa.BigInteger(), nullable=True),
        sa.Column("fine_interval_days", sa.Integer(), nullable=True),
        sa.Column("grace_days", sa.Integer(), nullable=True),
        sa.Column("fine_cap", sa.BigInteger(), nullable=True),
        sa.Column("cap_at_price", sa.Boolean(), nullable=True),
        sa.Column("suspension_days", sa.Integer(), nullable=True),
        sa.Column("renewals", sa.Integer(), nullable=True),
        sa.Column("renewal_length", sa.Integer(), nullable=True),
        sa.Column("no_renewal_before_days", sa.Integer(), nullable=True),
        sa.Column("automatic_renewal", sa.Boolean(), nullable=True),
        sa.Column("hold_limit", sa.Integer(), nullable=True),
        sa.Column("holds_per_record", sa.Integer(), nullable=True),
        sa.Column("on_shelf_holds", sa.Boolean(), nullable=True),
        sa.Column("item_level_holds", sa.Boolean(), nullable=True),
        sa.Column("pickup_days", sa.Integer(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["library_id"], ["libraries.id"], name=op.f("fk_circulation_rules_library_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_circulation_rules")),
    )
    with op.batch_alter_table("circulation_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_circulation_rules_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_circulation_rules_library_id"), ["library_id"], unique=False)

    op.create_table(
        "closed_days",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("library_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["library_id"], ["libraries.id"], name=op.f("fk_closed_days_library_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closed_days")),
    )
    with op.batch_alter_table("closed_days", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_closed_days_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_closed_days_day"), ["day"], unique=False)
        batch_op.create_index(batch_op.f("ix_closed_days_library_id"), ["library_id"], unique=False)

    op.create_table(
        "copies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("barcode", sa.String(length=40), nullable=False),
        sa.Column(
            "status",
            sa.Enum("available", "on_loan", "on_hold", "in_transit", "lost", "damaged", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("home_id", sa.Uuid(), nullable=False),
        sa.Column("library_id", sa.Uuid(), nullable=False),
        sa.Column("location", sa.String(length=120), nullable=False),
        sa.Column("item_type", sa.String(length=40), nullable=False),
        sa.Column("price_amount", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("deleted_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_copies_book_id")),
        sa.ForeignKeyConstraint(["home_id"], ["libraries.id"], name=op.f("fk_copies_home_id")),
        sa.ForeignKeyConstraint(["library_id"], ["libraries.id"], name=op.f("fk_copies_library_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copies")),
    )
    with op.batch_alter_table("copies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_copies_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_copies_home_id"), ["home_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_copies_library_id"), ["library_id"], unique=False)
        batch_op.create_index("ix_copies_on_shelf", ["book_id", "status"], unique=False)
        batch_op.create_index(batch_op.f("ix_copies_status"), ["status"], unique=False)

    op.create_table(
        "patrons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_number", sa.String(length=20), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("blocked_reason", sa.String(length=500), nullable=True),
        sa.Column("suspended_until", sa.Date(), nullable=True),
        sa.Column("keeps_history", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["users.id"], name=op.f("fk_patrons_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrons")),
        sa.UniqueConstraint("card_number", name=op.f("uq_patrons_card_number")),
    )
    with op.batch_alter_table("patrons", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_patrons_created_at"), ["created_at"], unique=False)

    op.create_table(
        "holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("patron_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("waiting", "in_transit", "ready", "fulfilled", "expired", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("wanted_copy_id", sa.Uuid(), nullable=True),
        sa.Column("copy_id", sa.Uuid(), nullable=True),
        sa.Column("pickup_id", sa.Uuid(), nullable=False),
        sa.Column("pickup_days", sa.Integer(), nullable=False),
        sa.Column("hold_limit", sa.Integer(), nullable=False),
        sa.Column("record_limit", sa.Integer(), nullable=False),
        sa.Column("ready_at", UTCDateTime(), nullable=True),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_holds_book_id")),
        sa.ForeignKeyConstraint(["copy_id"], ["copies.id"], name=op.f("fk_holds_copy_id")),
        sa.ForeignKeyConstraint(["patron_id"], ["patrons.id"], name=op.f("fk_holds_patron_id")),
        sa.ForeignKeyConstraint(["pickup_id"], ["libraries.id"], name=op.f("fk_holds_pickup_id")),
        sa.ForeignKeyConstraint(["wanted_copy_id"], ["copies.id"], name=op.f("fk_holds_wanted_copy_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_holds_copy_id"), ["copy_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_holds_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_holds_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_holds_patron_id"), ["patron_id"], unique=False)
        batch_op.create_index("ix_holds_queue", ["book_id", "status", "position"], unique=False)
        batch_op.create_index(batch_op.f("ix_holds_wanted_copy_id"), ["wanted_copy_id"], unique=False)

    op.create_table(
        "loans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("copy_id", sa.Uuid(), nullable=False),
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("patron_id", sa.Uuid(), nullable=True),
        sa.Column("library_id", sa.Uuid(), nullable=False),
        sa.Column("item_type", sa.String(length=40), nullable=False),
        sa.Column("status", sa.Enum("open", "returned", "lost", native_enum=False, length=20), nullable=False),
        sa.Column("loaned_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("renewals", sa.Integer(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("loan_limit", sa.Integer(), nullable=False),
        sa.Column("type_limit", sa.Integer(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_loans_book_id")),
        sa.ForeignKeyConstraint(["copy_id"], ["copies.id"], name=op.f("fk_loans_copy_id")),
        sa.ForeignKeyConstraint(["library_id"], ["libraries.id"], name=op.f("fk_loans_library_id")),
        sa.ForeignKeyConstraint(["patron_id"], ["patrons.id"], name=op.f("fk_loans_patron_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loans")),
    )
    with op.batch_alter_table("loans", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_loans_book_id"), ["book_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_loans_copy_id"), ["copy_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_loans_created_at"), ["created_at"], unique=False)
        batch_op.create_index("ix_loans_due", ["status", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_loans_due_at"), ["due_at"], unique=False)
        batch_op.create_index("ix_loans_ended", ["ended_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_loans_loaned_at"), ["loaned_at"], unique=False)
        batch_op.create_index("ix_loans_of_patron", ["patron_id", "status"], unique=False)

    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patron_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("due_soon", "overdue", "renewed", "hold_ready", "hold_expired", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("once_key", sa.String(length=120), nullable=False),
        sa.Column("read_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["patron_id"], ["patrons.id"], name=op.f("fk_notices_patron_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notices_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_notices_patron_id"), ["patron_id"], unique=False)

    op.create_table(
        "fines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patron_id", sa.Uuid(), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Enum("overdue", "lost", "damage", native_enum=False, length=20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("counted_until", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_fines_loan_id")),
        sa.ForeignKeyConstraint(["patron_id"], ["patrons.id"], name=op.f("fk_fines_patron_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fines")),
    )
    with op.batch_alter_table("fines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fines_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_fines_loan_id"), ["loan_id"], unique=False)
        batch_op.create_index("ix_fines_owed", ["patron_id", "balance_amount"], unique=False)

    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fine_id", sa.Uuid(), nullable=False),
        sa.Column("patron_id", sa.Uuid(), nullable=False),
        sa.Column("taken_by", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("method", sa.Enum("cash", "card", "transfer", native_enum=False, length=20), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["fine_id"], ["fines.id"], name=op.f("fk_payments_fine_id")),
        sa.ForeignKeyConstraint(["patron_id"], ["patrons.id"], name=op.f("fk_payments_patron_id")),
        sa.ForeignKeyConstraint(["taken_by"], ["users.id"], name=op.f("fk_payments_taken_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
    )
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payments_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_payments_fine_id"), ["fine_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payments_patron_id"), ["patron_id"], unique=False)

    op.attach(
        "ix_books_search_terms",
        postgresql=[
            "CREATE INDEX ix_books_search_terms ON books USING gin (search) WITH (fastupdate = off)",
        ],
        sqlite=[
            "CREATE TABLE books_fts_rows (n INTEGER PRIMARY KEY, id CHAR(32) NOT NULL UNIQUE)",
            "CREATE VIRTUAL TABLE books_fts USING fts5(lead, rest, content = '', tokenize = 'ascii', columnsize = 0)",
            "INSERT INTO books_fts_rows (id) SELECT id FROM books",
            "INSERT INTO books_fts (rowid, lead, rest) SELECT r.n, substr(t.search, 1, instr(t.search || char(10), char(10)) - 1), substr(t.search, instr(t.search || char(10), char(10)) + 1) FROM books_fts_rows AS r JOIN books AS t ON t.id = r.id",
            "CREATE TRIGGER books_fts_insert AFTER INSERT ON books BEGIN INSERT INTO books_fts_rows (id) VALUES (new.id); INSERT INTO books_fts (rowid, lead, rest) SELECT n, substr(new.search, 1, instr(new.search || char(10), char(10)) - 1), substr(new.search, instr(new.search || char(10), char(10)) + 1) FROM books_fts_rows WHERE id = new.id; END",
            "CREATE TRIGGER books_fts_update AFTER UPDATE OF id, search ON books WHEN old.id IS NOT new.id OR old.search IS NOT new.search BEGIN INSERT INTO books_fts (books_fts, rowid, lead, rest) SELECT 'delete', n, substr(old.search, 1, instr(old.search || char(10), char(10)) - 1), substr(old.search, instr(old.search || char(10), char(10)) + 1) FROM books_fts_rows WHERE id = old.id; UPDATE books_fts_rows SET id = new.id WHERE id = old.id; INSERT INTO books_fts (rowid, lead, rest) SELECT n, substr(new.search, 1, instr(new.search || char(10), char(10)) - 1), substr(new.search, instr(new.search || char(10), char(10)) + 1) FROM books_fts_rows WHERE n = (SELECT n FROM books_fts_rows WHERE id = new.id); END",
            "CREATE TRIGGER books_fts_delete AFTER DELETE ON books BEGIN INSERT INTO books_fts (books_fts, rowid, lead, rest) SELECT 'delete', n, substr(old.search, 1, instr(old.search || char(10), char(10)) - 1), substr(old.search, instr(old.search || char(10), char(10)) + 1) FROM books_fts_rows WHERE id = old.id; DELETE FROM books_fts_rows WHERE id = old.id; END",
        ],
    )
    op.attach(
        "fh_library_isbn",
        postgresql=[
            "CREATE UNIQUE INDEX fh_library_isbn ON books (isbn13) WHERE (deleted_at IS NULL)",
            "COMMENT ON INDEX fh_library_isbn IS 'fh:fh_library_isbn:1dedcd5d9f6f:70c11bd15d69'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_library_isbn ON books (/*fh:fh_library_isbn:1dedcd5d9f6f:bcfe2c2d8680*/isbn13, (isbn13 IS NULL)) WHERE (deleted_at IS NULL)",
        ],
    )
    op.attach(
        "fh_library_source",
        postgresql=[
            "CREATE UNIQUE INDEX fh_library_source ON books (source_id) WHERE (deleted_at IS NULL)",
            "COMMENT ON INDEX fh_library_source IS 'fh:fh_library_source:9d42c44f11bd:8f233d0464df'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_library_source ON books (/*fh:fh_library_source:9d42c44f11bd:ee5c77fb1b81*/source_id, (source_id IS NULL)) WHERE (deleted_at IS NULL)",
        ],
    )
    op.attach(
        "fh_library_one_rule",
        postgresql=[
            "CREATE UNIQUE INDEX fh_library_one_rule ON circulation_rules (library_id, category, item_type)",
            "COMMENT ON INDEX fh_library_one_rule IS 'fh:fh_library_one_rule:437f86e22a76:4a59c74c5204'",
            "CREATE UNIQUE INDEX fh_library_one_rule_null1 ON circulation_rules (category, item_type) WHERE library_id IS NULL",
            "COMMENT ON INDEX fh_library_one_rule_null1 IS 'fh:fh_library_one_rule:437f86e22a76:2d74af0bb319'",
            "CREATE UNIQUE INDEX fh_library_one_rule_null2 ON circulation_rules (library_id, item_type) WHERE category IS NULL",
            "COMMENT ON INDEX fh_library_one_rule_null2 IS 'fh:fh_library_one_rule:437f86e22a76:795cedc4a697'",
            "CREATE UNIQUE INDEX fh_library_one_rule_null3 ON circulation_rules (library_id, category) WHERE item_type IS NULL",
            "COMMENT ON INDEX fh_library_one_rule_null3 IS 'fh:fh_library_one_rule:437f86e22a76:5688c16a137b'",
            "CREATE UNIQUE INDEX fh_library_one_rule_null4 ON circulation_rules (item_type) WHERE library_id IS NULL AND category IS NULL",
            "COMMENT ON INDEX fh_library_one_rule_null4 IS 'fh:fh_library_one_rule:437f86e22a76:8e45b93fcb25'",
            "CREATE UNIQUE INDEX fh_library_one_rule_null5 ON circulation_rules (category) WHERE library_id IS NULL AND item_type IS NULL",
            "COMMENT ON INDEX fh_library_one_rule_null5 IS 'fh:fh_library_one_rule:437f86e22a76:779821ba21d3'",
            "CREATE UNIQUE INDEX fh_library_one_rule_null6 ON circulation_rules (library_id) WHERE category IS NULL AND item_type IS NULL",
            "COMMENT ON INDEX fh_library_one_rule_null6 IS 'fh:fh_library_one_rule:437f86e22a76:7301674ecc49'",
            "CREATE UNIQUE INDEX fh_library_one_rule_null7 ON circulation_rules ((library_id IS NULL)) WHERE library_id IS NULL AND category IS NULL AND item_type IS NULL",
            "COMMENT ON INDEX fh_library_one_rule_null7 IS 'fh:fh_library_one_rule:437f86e22a76:a34a1817e75e'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_library_one_rule ON circulation_rules (/*fh:fh_library_one_rule:437f86e22a76:798dfe8c411e*/library_id, category, item_type, (library_id IS NULL))",
            "CREATE UNIQUE INDEX fh_library_one_rule_null1 ON circulation_rules (/*fh:fh_library_one_rule:437f86e22a76:dd08b1ea0a2c*/category, item_type, (library_id IS NULL)) WHERE library_id IS NULL",
            "CREATE UNIQUE INDEX fh_library_one_rule_null2 ON circulation_rules (/*fh:fh_library_one_rule:437f86e22a76:127132805985*/library_id, item_type, (library_id IS NULL)) WHERE category IS NULL",
            "CREATE UNIQUE INDEX fh_library_one_rule_null3 ON circulation_rules (/*fh:fh_library_one_rule:437f86e22a76:84265202dc36*/library_id, category, (library_id IS NULL)) WHERE item_type IS NULL",
            "CREATE UNIQUE INDEX fh_library_one_rule_null4 ON circulation_rules (/*fh:fh_library_one_rule:437f86e22a76:c20f97afdf26*/item_type, (library_id IS NULL)) WHERE library_id IS NULL AND category IS NULL",
            "CREATE UNIQUE INDEX fh_library_one_rule_null5 ON circulation_rules (/*fh:fh_library_one_rule:437f86e22a76:39c55cfcc636*/category, (library_id IS NULL)) WHERE library_id IS NULL AND item_type IS NULL",
            "CREATE UNIQUE INDEX fh_library_one_rule_null6 ON circulation_rules (/*fh:fh_library_one_rule:437f86e22a76:e9693a30957f*/library_id, (library_id IS NULL)) WHERE category IS NULL AND item_type IS NULL",
            "CREATE UNIQUE INDEX fh_library_one_rule_null7 ON circulation_rules (/*fh:fh_library_one_rule:437f86e22a76:8d43a6abafdd*/(library_id IS NULL)) WHERE library_id IS NULL AND category IS NULL AND item_type IS NULL",
        ],
    )
    op.attach(
        "fh_library_closed_once",
        postgresql=[
            "CREATE UNIQUE INDEX fh_library_closed_once ON closed_days (library_id, day)",
            "COMMENT ON INDEX fh_library_closed_once IS 'fh:fh_library_closed_once:2e7e8d491c26:5adb6e55aaec'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_library_closed_once ON closed_days (/*fh:fh_library_closed_once:2e7e8d491c26:9ff1639636c9*/library_id, day, (library_id IS NULL))",
        ],
    )
    op.attach(
        "fh_library_barcode",
        postgresql=[
            "CREATE UNIQUE INDEX fh_library_barcode ON copies (barcode) WHERE (deleted_at IS NULL)",
            "COMMENT ON INDEX fh_library_barcode IS 'fh:fh_library_barcode:9401d0875ff8:8ffce0f63cbc'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_library_barcode ON copies (/*fh:fh_library_barcode:9401d0875ff8:58da82bd313f*/barcode, (barcode IS NULL)) WHERE (deleted_at IS NULL)",
        ],
    )
    op.attach(
        "fh_library_holds",
        postgresql=[
            "CREATE INDEX fh_library_holds_look ON holds (patron_id) WHERE (status IN ('waiting', 'in_transit', 'ready'))",
            "COMMENT ON INDEX fh_library_holds_look IS 'fh:fh_library_holds:c56129136b3e:0171c37232ce'",
            """CREATE OR REPLACE FUNCTION fh_library_holds_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $fh$
    BEGIN
      IF TG_OP = 'UPDATE' AND (OLD.patron_id) IS DISTINCT FROM (NEW.patron_id) THEN
        PERFORM pg_advisory_xact_lock(least(hashtextextended('fh_library_holds' || '/' || OLD.patron_id::text, 0), hashtextextended('fh_library_holds' || '/' || NEW.patron_id::text, 0)));
        PERFORM pg_advisory_xact_lock(greatest(hashtextextended('fh_library_holds' || '/' || OLD.patron_id::text, 0), hashtextextended('fh_library_holds' || '/' || NEW.patron_id::text, 0)));
      ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended('fh_library_holds' || '/' || NEW.patron_id::text, 0));
      END IF;
      IF current_setting('transaction_isolation') = 'repeatable read' THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
          MESSAGE = 'fh_library_holds needs READ COMMITTED or SERIALIZABLE';
      END IF;
      IF (SELECT count(*) FROM holds WHERE patron_id = NEW.patron_id AND (status IN ('waiting', 'in_transit', 'ready')) AND (id IS DISTINCT FROM NEW.id) AND (id IS DISTINCT FROM OLD.id)) >= NEW.hold_limit THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'fh_library_holds', MESSAGE = 'fh:fh_library_holds';
      END IF;
      RETURN NEW;
    END
    $fh$
    """,
            "COMMENT ON FUNCTION fh_library_holds_guard() IS 'fh:fh_library_holds:c56129136b3e:ba41ab82fb2c'",
            "CREATE TRIGGER fh_library_holds_guard BEFORE INSERT OR UPDATE OF patron_id, hold_limit, status ON holds FOR EACH ROW WHEN (NEW.status IN ('waiting', 'in_transit', 'ready')) EXECUTE FUNCTION fh_library_holds_guard()",
            "COMMENT ON TRIGGER fh_library_holds_guard ON holds IS 'fh:fh_library_holds:c56129136b3e:4b3db8277a95'",
        ],
        sqlite=[
            "CREATE INDEX fh_library_holds_look ON holds (/*fh:fh_library_holds:c56129136b3e:509acccf887e*/patron_id) WHERE (status IN ('waiting', 'in_transit', 'ready'))",
            """CREATE TRIGGER fh_library_holds_insert BEFORE INSERT ON holds FOR EACH ROW WHEN NEW.status IN ('waiting', 'in_transit', 'ready')
    BEGIN /*fh:fh_library_holds:c56129136b3e:556d6c60b291*/
      SELECT RAISE(ABORT, 'fh:fh_library_holds') WHERE (SELECT count(*) FROM holds WHERE patron_id = NEW.patron_id AND (status IN ('waiting', 'in_transit', 'ready')) AND (id IS NOT NEW.id)) >= NEW.hold_limit;
    END
    """,
            """CREATE TRIGGER fh_library_holds_update BEFORE UPDATE OF patron_id, hold_limit, status ON holds FOR EACH ROW WHEN NEW.status IN ('waiting', 'in_transit', 'ready')
    BEGIN /*fh:fh_library_holds:c56129136b3e:b6f35af297a3*/
      SELECT RAISE(ABORT, 'fh:fh_library_holds') WHERE (SELECT count(*) FROM holds WHERE patron_id = NEW.patron_id AND (status IN ('waiting', 'in_transit', 'ready')) AND (id IS NOT NEW.id) AND (id IS NOT OLD.id)) >= NEW.hold_limit;
    END
    """,
        ],
    )
    op.attach(
        "fh_library_holds_of_title",
        postgresql=[
            "CREATE INDEX fh_library_holds_of_title_look ON holds (patron_id, book_id) WHERE (status IN ('waiting', 'in_transit', 'ready'))",
            "COMMENT ON INDEX fh_library_holds_of_title_look IS 'fh:fh_library_holds_of_title:88bd3340805c:2b51c7a0c88e'",
            """CREATE OR REPLACE FUNCTION fh_library_holds_of_title_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $fh$
    BEGIN
      IF TG_OP = 'UPDATE' AND (OLD.patron_id, OLD.book_id) IS DISTINCT FROM (NEW.patron_id, NEW.book_id) THEN
        PERFORM pg_advisory_xact_lock(least(hashtextextended('fh_library_holds_of_title' || '/' || OLD.patron_id::text || '/' || OLD.book_id::text, 0), hashtextextended('fh_library_holds_of_title' || '/' || NEW.patron_id::text || '/' || NEW.book_id::text, 0)));
        PERFORM pg_advisory_xact_lock(greatest(hashtextextended('fh_library_holds_of_title' || '/' || OLD.patron_id::text || '/' || OLD.book_id::text, 0), hashtextextended('fh_library_holds_of_title' || '/' || NEW.patron_id::text || '/' || NEW.book_id::text, 0)));
      ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended('fh_library_holds_of_title' || '/' || NEW.patron_id::text || '/' || NEW.book_id::text, 0));
      END IF;
      IF current_setting('transaction_isolation') = 'repeatable read' THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
          MESSAGE = 'fh_library_holds_of_title needs READ COMMITTED or SERIALIZABLE';
      END IF;
      IF (SELECT count(*) FROM holds WHERE patron_id = NEW.patron_id AND book_id = NEW.book_id AND (status IN ('waiting', 'in_transit', 'ready')) AND (id IS DISTINCT FROM NEW.id) AND (id IS DISTINCT FROM OLD.id)) >= NEW.record_limit THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'fh_library_holds_of_title', MESSAGE = 'fh:fh_library_holds_of_title';
      END IF;
      RETURN NEW;
    END
    $fh$
    """,
            "COMMENT ON FUNCTION fh_library_holds_of_title_guard() IS 'fh:fh_library_holds_of_title:88bd3340805c:3b54f3538bbd'",
            "CREATE TRIGGER fh_library_holds_of_title_guard BEFORE INSERT OR UPDATE OF patron_id, book_id, record_limit, status ON holds FOR EACH ROW WHEN (NEW.status IN ('waiting', 'in_transit', 'ready')) EXECUTE FUNCTION fh_library_holds_of_title_guard()",
            "COMMENT ON TRIGGER fh_library_holds_of_title_guard ON holds IS 'fh:fh_library_holds_of_title:88bd3340805c:49f4c1d31a0e'",
        ],
        sqlite=[
            "CREATE INDEX fh_library_holds_of_title_look ON holds (/*fh:fh_library_holds_of_title:88bd3340805c:f84962c918aa*/patron_id, book_id) WHERE (status IN ('waiting', 'in_transit', 'ready'))",
            """CREATE TRIGGER fh_library_holds_of_title_insert BEFORE INSERT ON holds FOR EACH ROW WHEN NEW.status IN ('waiting', 'in_transit', 'ready')
    BEGIN /*fh:fh_library_holds_of_title:88bd3340805c:1b9a98880eef*/
      SELECT RAISE(ABORT, 'fh:fh_library_holds_of_title') WHERE (SELECT count(*) FROM holds WHERE patron_id = NEW.patron_id AND book_id = NEW.book_id AND (status IN ('waiting', 'in_transit', 'ready')) AND (id IS NOT NEW.id)) >= NEW.record_limit;
    END
    """,
            """CREATE TRIGGER fh_library_holds_of_title_update BEFORE UPDATE OF patron_id, book_id, record_limit, status ON holds FOR EACH ROW WHEN NEW.status IN ('waiting', 'in_transit', 'ready')
    BEGIN /*fh:fh_library_holds_of_title:88bd3340805c:067b48ab998d*/
      SELECT RAISE(ABORT, 'fh:fh_library_holds_of_title') WHERE (SELECT count(*) FROM holds WHERE patron_id = NEW.patron_id AND book_id = NEW.book_id AND (status IN ('waiting', 'in_transit', 'ready')) AND (id IS NOT NEW.id) AND (id IS NOT OLD.id)) >= NEW.record_limit;
    END
    """,
        ],
    )
    op.attach(
        "fh_library_one_loan",
        postgresql=[
            "CREATE UNIQUE INDEX fh_library_one_loan ON loans (copy_id) WHERE (status = 'open')",
            "COMMENT ON INDEX fh_library_one_loan IS 'fh:fh_library_one_loan:8eca5075abce:929a2e738201'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_library_one_loan ON loans (/*fh:fh_library_one_loan:8eca5075abce:70bc813266d3*/copy_id, (copy_id IS NULL)) WHERE (status = 'open')",
        ],
    )
    op.attach(
        "fh_library_loans",
        postgresql=[
            "CREATE INDEX fh_library_loans_look ON loans (patron_id) WHERE (status = 'open')",
            "COMMENT ON INDEX fh_library_loans_look IS 'fh:fh_library_loans:4f5bcc2b1879:f9808ff1ccc9'",
            """CREATE OR REPLACE FUNCTION fh_library_loans_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $fh$
    BEGIN
      IF TG_OP = 'UPDATE' AND (OLD.patron_id) IS DISTINCT FROM (NEW.patron_id) THEN
        PERFORM pg_advisory_xact_lock(least(hashtextextended('fh_library_loans' || '/' || OLD.patron_id::text, 0), hashtextextended('fh_library_loans' || '/' || NEW.patron_id::text, 0)));
        PERFORM pg_advisory_xact_lock(greatest(hashtextextended('fh_library_loans' || '/' || OLD.patron_id::text, 0), hashtextextended('fh_library_loans' || '/' || NEW.patron_id::text, 0)));
      ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended('fh_library_loans' || '/' || NEW.patron_id::text, 0));
      END IF;
      IF current_setting('transaction_isolation') = 'repeatable read' THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
          MESSAGE = 'fh_library_loans needs READ COMMITTED or SERIALIZABLE';
      END IF;
      IF (SELECT count(*) FROM loans WHERE patron_id = NEW.patron_id AND (status = 'open') AND (id IS DISTINCT FROM NEW.id) AND (id IS DISTINCT FROM OLD.id)) >= NEW.loan_limit THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'fh_library_loans', MESSAGE = 'fh:fh_library_loans';
      END IF;
      RETURN NEW;
    END
    $fh$
    """,
            "COMMENT ON FUNCTION fh_library_loans_guard() IS 'fh:fh_library_loans:4f5bcc2b1879:0d52c8af4ea7'",
            "CREATE TRIGGER fh_library_loans_guard BEFORE INSERT OR UPDATE OF patron_id, loan_limit, status ON loans FOR EACH ROW WHEN (NEW.status = 'open') EXECUTE FUNCTION fh_library_loans_guard()",
            "COMMENT ON TRIGGER fh_library_loans_guard ON loans IS 'fh:fh_library_loans:4f5bcc2b1879:79056ef869b3'",
        ],
        sqlite=[
            "CREATE INDEX fh_library_loans_look ON loans (/*fh:fh_library_loans:4f5bcc2b1879:dce4c50eb22f*/patron_id) WHERE (status = 'open')",
            """CREATE TRIGGER fh_library_loans_insert BEFORE INSERT ON loans FOR EACH ROW WHEN NEW.status = 'open'
    BEGIN /*fh:fh_library_loans:4f5bcc2b1879:bb5b28cdb8ae*/
      SELECT RAISE(ABORT, 'fh:fh_library_loans') WHERE (SELECT count(*) FROM loans WHERE patron_id = NEW.patron_id AND (status = 'open') AND (id IS NOT NEW.id)) >= NEW.loan_limit;
    END
    """,
            """CREATE TRIGGER fh_library_loans_update BEFORE UPDATE OF patron_id, loan_limit, status ON loans FOR EACH ROW WHEN NEW.status = 'open'
    BEGIN /*fh:fh_library_loans:4f5bcc2b1879:a6593d1ffe3a*/
      SELECT RAISE(ABORT, 'fh:fh_library_loans') WHERE (SELECT count(*) FROM loans WHERE patron_id = NEW.patron_id AND (status = 'open') AND (id IS NOT NEW.id) AND (id IS NOT OLD.id)) >= NEW.loan_limit;
    END
    """,
        ],
    )
    op.attach(
        "fh_library_loans_of_type",
        postgresql=[
            "CREATE INDEX fh_library_loans_of_type_look ON loans (patron_id, item_type) WHERE (status = 'open')",
            "COMMENT ON INDEX fh_library_loans_of_type_look IS 'fh:fh_library_loans_of_type:b0157d4c8e97:552c5e515f0f'",
            """CREATE OR REPLACE FUNCTION fh_library_loans_of_type_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $fh$
    BEGIN
      IF TG_OP = 'UPDATE' AND (OLD.patron_id, OLD.item_type) IS DISTINCT FROM (NEW.patron_id, NEW.item_type) THEN
        PERFORM pg_advisory_xact_lock(least(hashtextextended('fh_library_loans_of_type' || '/' || OLD.patron_id::text || '/' || OLD.item_type::text, 0), hashtextextended('fh_library_loans_of_type' || '/' || NEW.patron_id::text || '/' || NEW.item_type::text, 0)));
        PERFORM pg_advisory_xact_lock(greatest(hashtextextended('fh_library_loans_of_type' || '/' || OLD.patron_id::text || '/' || OLD.item_type::text, 0), hashtextextended('fh_library_loans_of_type' || '/' || NEW.patron_id::text || '/' || NEW.item_type::text, 0)));
      ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended('fh_library_loans_of_type' || '/' || NEW.patron_id::text || '/' || NEW.item_type::text, 0));
      END IF;
      IF current_setting('transaction_isolation') = 'repeatable read' THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
          MESSAGE = 'fh_library_loans_of_type needs READ COMMITTED or SERIALIZABLE';
      END IF;
      IF (SELECT count(*) FROM loans WHERE patron_id = NEW.patron_id AND item_type = NEW.item_type AND (status = 'open') AND (id IS DISTINCT FROM NEW.id) AND (id IS DISTINCT FROM OLD.id)) >= NEW.type_limit THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'fh_library_loans_of_type', MESSAGE = 'fh:fh_library_loans_of_type';
      END IF;
      RETURN NEW;
    END
    $fh$
    """,
            "COMMENT ON FUNCTION fh_library_loans_of_type_guard() IS 'fh:fh_library_loans_of_type:b0157d4c8e97:0196a6a3bcac'",
            "CREATE TRIGGER fh_library_loans_of_type_guard BEFORE INSERT OR UPDATE OF patron_id, item_type, type_limit, status ON loans FOR EACH ROW WHEN (NEW.status = 'open') EXECUTE FUNCTION fh_library_loans_of_type_guard()",
            "COMMENT ON TRIGGER fh_library_loans_of_type_guard ON loans IS 'fh:fh_library_loans_of_type:b0157d4c8e97:a88a55bbfdfe'",
        ],
        sqlite=[
            "CREATE INDEX fh_library_loans_of_type_look ON loans (/*fh:fh_library_loans_of_type:b0157d4c8e97:972a520630c8*/patron_id, item_type) WHERE (status = 'open')",
            """CREATE TRIGGER fh_library_loans_of_type_insert BEFORE INSERT ON loans FOR EACH ROW WHEN NEW.status = 'open'
    BEGIN /*fh:fh_library_loans_of_type:b0157d4c8e97:102d8e39d3d2*/
      SELECT RAISE(ABORT, 'fh:fh_library_loans_of_type') WHERE (SELECT count(*) FROM loans WHERE patron_id = NEW.patron_id AND item_type = NEW.item_type AND (status = 'open') AND (id IS NOT NEW.id)) >= NEW.type_limit;
    END
    """,
            """CREATE TRIGGER fh_library_loans_of_type_update BEFORE UPDATE OF patron_id, item_type, type_limit, status ON loans FOR EACH ROW WHEN NEW.status = 'open'
    BEGIN /*fh:fh_library_loans_of_type:b0157d4c8e97:7a447810424a*/
      SELECT RAISE(ABORT, 'fh:fh_library_loans_of_type') WHERE (SELECT count(*) FROM loans WHERE patron_id = NEW.patron_id AND item_type = NEW.item_type AND (status = 'open') AND (id IS NOT NEW.id) AND (id IS NOT OLD.id)) >= NEW.type_limit;
    END
    """,
        ],
    )
    op.attach(
        "fh_library_told_once",
        postgresql=[
            "CREATE UNIQUE INDEX fh_library_told_once ON notices (patron_id, once_key)",
            "COMMENT ON INDEX fh_library_told_once IS 'fh:fh_library_told_once:6fdc61c2e762:14d9516649fe'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_library_told_once ON notices (/*fh:fh_library_told_once:6fdc61c2e762:8aab4b53320f*/patron_id, once_key, (patron_id IS NULL))",
        ],
    )
    op.attach(
        "fh_library_fined_once",
        postgresql=[
            "CREATE UNIQUE INDEX fh_library_fined_once ON fines (loan_id, kind) WHERE (kind != 'damage')",
            "COMMENT ON INDEX fh_library_fined_once IS 'fh:fh_library_fined_once:b102f95bdac3:f34c18435055'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_library_fined_once ON fines (/*fh:fh_library_fined_once:b102f95bdac3:ae39325342c9*/loan_id, kind, (loan_id IS NULL)) WHERE (kind != 'damage')",
        ],
    )
    op.attach(
        "fh_library_balance",
        postgresql=[
            "ALTER TABLE fines ADD CONSTRAINT fh_library_balance CHECK (balance_amount >= 0)",
            "COMMENT ON CONSTRAINT fh_library_balance ON fines IS 'fh:fh_library_balance:67edcd4802c7:6d7d38962e1a'",
        ],
        sqlite=[
            """CREATE TRIGGER fh_library_balance_insert BEFORE INSERT ON fines FOR EACH ROW
    BEGIN /*fh:fh_library_balance:67edcd4802c7:2e0970bbde18*/
      SELECT RAISE(ABORT, 'fh:fh_library_balance') WHERE NEW.balance_amount < 0;
    END
    """,
            """CREATE TRIGGER fh_library_balance_update BEFORE UPDATE OF balance_amount ON fines FOR EACH ROW
    BEGIN /*fh:fh_library_balance:67edcd4802c7:13e38cd166a5*/
      SELECT RAISE(ABORT, 'fh:fh_library_balance') WHERE NEW.balance_amount < 0;
    END
    """,
            "UPDATE fines SET balance_amount = balance_amount",
        ],
    )


def downgrade() -> None:
    """Take back."""
    op.detach(
        "fh_library_balance",
        postgresql=[
            "ALTER TABLE fines DROP CONSTRAINT IF EXISTS fh_library_balance",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS fh_library_balance_update",
            "DROP TRIGGER IF EXISTS fh_library_balance_insert",
        ],
    )
    op.detach(
        "fh_library_fined_once",
        postgresql=[
            "DROP INDEX IF EXISTS fh_library_fined_once",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_library_fined_once",
        ],
    )
    op.detach(
        "fh_library_told_once",
        postgresql=[
            "DROP INDEX IF EXISTS fh_library_told_once",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_library_told_once",
        ],
    )
    op.detach(
        "fh_library_loans_of_type",
        postgresql=[
            "DROP TRIGGER IF EXISTS fh_library_loans_of_type_guard ON loans",
            "DROP FUNCTION IF EXISTS fh_library_loans_of_type_guard()",
            "DROP INDEX IF EXISTS fh_library_loans_of_type_look",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS fh_library_loans_of_type_update",
            "DROP TRIGGER IF EXISTS fh_library_loans_of_type_insert",
            "DROP INDEX IF EXISTS fh_library_loans_of_type_look",
        ],
    )
    op.detach(
        "fh_library_loans",
        postgresql=[
            "DROP TRIGGER IF EXISTS fh_library_loans_guard ON loans",
            "DROP FUNCTION IF EXISTS fh_library_loans_guard()",
            "DROP INDEX IF EXISTS fh_library_loans_look",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS fh_library_loans_update",
            "DROP TRIGGER IF EXISTS fh_library_loans_insert",
            "DROP INDEX IF EXISTS fh_library_loans_look",
        ],
    )
    op.detach(
        "fh_library_one_loan",
        postgresql=[
            "DROP INDEX IF EXISTS fh_library_one_loan",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_library_one_loan",
        ],
    )
    op.detach(
        "fh_library_holds_of_title",
        postgresql=[
            "DROP TRIGGER IF EXISTS fh_library_holds_of_title_guard ON holds",
            "DROP FUNCTION IF EXISTS fh_library_holds_of_title_guard()",
            "DROP INDEX IF EXISTS fh_library_holds_of_title_look",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS fh_library_holds_of_title_update",
            "DROP TRIGGER IF EXISTS fh_library_holds_of_title_insert",
            "DROP INDEX IF EXISTS fh_library_holds_of_title_look",
        ],
    )
    op.detach(
        "fh_library_holds",
        postgresql=[
            "DROP TRIGGER IF EXISTS fh_library_holds_guard ON holds",
            "DROP FUNCTION IF EXISTS fh_library_holds_guard()",
            "DROP INDEX IF EXISTS fh_library_holds_look",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS fh_library_holds_update",
            "DROP TRIGGER IF EXISTS fh_library_holds_insert",
            "DROP INDEX IF EXISTS fh_library_holds_look",
        ],
    )
    op.detach(
        "fh_library_barcode",
        postgresql=[
            "DROP INDEX IF EXISTS fh_library_barcode",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_library_barcode",
        ],
    )
    op.detach(
        "fh_library_closed_once",
        postgresql=[
            "DROP INDEX IF EXISTS fh_library_closed_once",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_library_closed_once",
        ],
    )
    op.detach(
        "fh_library_one_rule",
        postgresql=[
            "DROP INDEX IF EXISTS fh_library_one_rule_null7",
            "DROP INDEX IF EXISTS fh_library_one_rule_null6",
            "DROP INDEX IF EXISTS fh_library_one_rule_null5",
            "DROP INDEX IF EXISTS fh_library_one_rule_null4",
            "DROP INDEX IF EXISTS fh_library_one_rule_null3",
            "DROP INDEX IF EXISTS fh_library_one_rule_null2",
            "DROP INDEX IF EXISTS fh_library_one_rule_null1",
            "DROP INDEX IF EXISTS fh_library_one_rule",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_library_one_rule_null7",
            "DROP INDEX IF EXISTS fh_library_one_rule_null6",
            "DROP INDEX IF EXISTS fh_library_one_rule_null5",
            "DROP INDEX IF EXISTS fh_library_one_rule_null4",
            "DROP INDEX IF EXISTS fh_library_one_rule_null3",
            "DROP INDEX IF EXISTS fh_library_one_rule_null2",
            "DROP INDEX IF EXISTS fh_library_one_rule_null1",
            "DROP INDEX IF EXISTS fh_library_one_rule",
        ],
    )
    op.detach(
        "fh_library_source",
        postgresql=[
            "DROP INDEX IF EXISTS fh_library_source",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_library_source",
        ],
    )
    op.detach(
        "fh_library_isbn",
        postgresql=[
            "DROP INDEX IF EXISTS fh_library_isbn",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_library_isbn",
        ],
    )
    op.detach(
        "ix_books_search_terms",
        postgresql=[
            "DROP INDEX IF EXISTS ix_books_search_terms",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS books_fts_insert",
            "DROP TRIGGER IF EXISTS books_fts_update",
            "DROP TRIGGER IF EXISTS books_fts_delete",
            "DROP TABLE IF EXISTS books_fts",
            "DROP TABLE IF EXISTS books_fts_rows",
        ],
    )
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payments_patron_id"))
        batch_op.drop_index(batch_op.f("ix_payments_fine_id"))
        batch_op.drop_index(batch_op.f("ix_payments_created_at"))

    op.drop_table("payments")
    with op.batch_alter_table("fines", schema=None) as batch_op:
        batch_op.drop_index("ix_fines_owed")
        batch_op.drop_index(batch_op.f("ix_fines_loan_id"))
        batch_op.drop_index(batch_op.f("ix_fines_created_at"))

    op.drop_table("fines")
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notices_patron_id"))
        batch_op.drop_index(batch_op.f("ix_notices_created_at"))

    op.drop_table("notices")
    with op.batch_alter_table("loans", schema=None) as batch_op:
        batch_op.drop_index("ix_loans_of_patron")
        batch_op.drop_index(batch_op.f("ix_loans_loaned_at"))
        batch_op.drop_index("ix_loans_ended")
        batch_op.drop_index(batch_op.f("ix_loans_due_at"))
        batch_op.drop_index("ix_loans_due")
        batch_op.drop_index(batch_op.f("ix_loans_created_at"))
        batch_op.drop_index(batch_op.f("ix_loans_copy_id"))
        batch_op.drop_index(batch_op.f("ix_loans_book_id"))

    op.drop_table("loans")
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_holds_wanted_copy_id"))
        batch_op.drop_index("ix_holds_queue")
        batch_op.drop_index(batch_op.f("ix_holds_patron_id"))
        batch_op.drop_index(batch_op.f("ix_holds_expires_at"))
        batch_op.drop_index(batch_op.f("ix_holds_created_at"))
        batch_op.drop_index(batch_op.f("ix_holds_copy_id"))

    op.drop_table("holds")
    with op.batch_alter_table("patrons", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_patrons_created_at"))

    op.drop_table("patrons")
    with op.batch_alter_table("copies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_copies_status"))
        batch_op.drop_index("ix_copies_on_shelf")
        batch_op.drop_index(batch_op.f("ix_copies_library_id"))
        batch_op.drop_index(batch_op.f("ix_copies_home_id"))
        batch_op.drop_index(batch_op.f("ix_copies_created_at"))

    op.drop_table("copies")
    with op.batch_alter_table("closed_days", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_closed_days_library_id"))
        batch_op.drop_index(batch_op.f("ix_closed_days_day"))
        batch_op.drop_index(batch_op.f("ix_closed_days_created_at"))

    op.drop_table("closed_days")
    with op.batch_alter_table("circulation_rules", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_circulation_rules_library_id"))
        batch_op.drop_index(batch_op.f("ix_circulation_rules_created_at"))

    op.drop_table("circulation_rules")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_users_full_name_key"))
        batch_op.drop_index(batch_op.f("ix_users_created_at"))

    op.drop_table("users")
    with op.batch_alter_table("libraries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_libraries_name_key"))
        batch_op.drop_index(batch_op.f("ix_libraries_created_at"))

    op.drop_table("libraries")
    with op.batch_alter_table("books", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_books_year"))
        batch_op.drop_index(batch_op.f("ix_books_title_key"))
        batch_op.drop_index(batch_op.f("ix_books_times_borrowed"))
        batch_op.drop_index("ix_books_popular")
        batch_op.drop_index(batch_op.f("ix_books_language"))
        batch_op.drop_index(batch_op.f("ix_books_isbn"))
        batch_op.drop_index(batch_op.f("ix_books_created_at"))
        batch_op.drop_index(batch_op.f("ix_books_average_rating"))
        batch_op.drop_index(batch_op.f("ix_books_author_key"))

    op.drop_table("books")
