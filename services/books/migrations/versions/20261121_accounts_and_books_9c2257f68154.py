"""accounts and books

Revision: 9c2257f68154
Revises: nothing
Created: 2026-11-21 19:17:40.288547
"""

import sqlalchemy as sa
from alembic import op

import freehold.resource.search_text
from freehold.resource.base import UTCDateTime

revision = "9c2257f68154"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
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
        "books",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column(
            "title_key",
            sa.String(length=500).with_variant(sa.String(length=500, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column(
            "author_key",
            sa.String(length=500).with_variant(sa.String(length=500, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("is_published", sa.Boolean(), nullable=False),
        sa.Column("search", freehold.resource.search_text.SearchDocument(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_books_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_books")),
    )
    with op.batch_alter_table("books", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_books_author_key"), ["author_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_books_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_books_is_published"), ["is_published"], unique=False)
        batch_op.create_index(batch_op.f("ix_books_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_books_title_key"), ["title_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_books_year"), ["year"], unique=False)

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


def downgrade() -> None:
    """Take back."""
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
    with op.batch_alter_table("books", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_books_year"))
        batch_op.drop_index(batch_op.f("ix_books_title_key"))
        batch_op.drop_index(batch_op.f("ix_books_owner_id"))
        batch_op.drop_index(batch_op.f("ix_books_is_published"))
        batch_op.drop_index(batch_op.f("ix_books_created_at"))
        batch_op.drop_index(batch_op.f("ix_books_author_key"))

    op.drop_table("books")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_users_created_at"))

    op.drop_table("users")
