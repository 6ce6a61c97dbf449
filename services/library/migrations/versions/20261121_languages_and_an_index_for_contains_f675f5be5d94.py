"""languages, and an index for contains

Revision: f675f5be5d94
Revises: b0499ec75daf
Created: 2026-11-21 22:04:05.448478
"""

import sqlalchemy as sa
from alembic import op

revision = "f675f5be5d94"
down_revision = "b0499ec75daf"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("language", sa.String(length=20), nullable=True))

    op.attach(
        "ix_books_title_key_trigrams",
        postgresql=[
            """DO $fh$
    BEGIN
      CREATE EXTENSION IF NOT EXISTS pg_trgm;
    EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR unique_violation THEN
      RAISE NOTICE 'pg_trgm is not available: __contains looks through every row';
    END
    $fh$
    """,
            """DO $fh$
    BEGIN
      IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') THEN
        CREATE INDEX ix_books_title_key_trigrams ON books USING gin (title_key gin_trgm_ops) WITH (fastupdate = off);
      END IF;
    END
    $fh$
    """,
        ],
        sqlite=[
            "CREATE TABLE books_title_key_fts_rows (n INTEGER PRIMARY KEY, id CHAR(32) NOT NULL UNIQUE)",
            "CREATE VIRTUAL TABLE books_title_key_fts USING fts5(key, content = '', tokenize = 'trigram case_sensitive 1', detail = none, columnsize = 0)",
            "INSERT INTO books_title_key_fts_rows (id) SELECT id FROM books",
            "INSERT INTO books_title_key_fts (rowid, key) SELECT r.n, t.title_key FROM books_title_key_fts_rows AS r JOIN books AS t ON t.id = r.id",
            "CREATE TRIGGER books_title_key_fts_insert AFTER INSERT ON books BEGIN INSERT INTO books_title_key_fts_rows (id) VALUES (new.id); INSERT INTO books_title_key_fts (rowid, key) SELECT n, new.title_key FROM books_title_key_fts_rows WHERE id = new.id; END",
            "CREATE TRIGGER books_title_key_fts_update AFTER UPDATE OF id, title_key ON books WHEN old.id IS NOT new.id OR old.title_key IS NOT new.title_key BEGIN INSERT INTO books_title_key_fts (books_title_key_fts, rowid, key) SELECT 'delete', n, old.title_key FROM books_title_key_fts_rows WHERE id = old.id; UPDATE books_title_key_fts_rows SET id = new.id WHERE id = old.id; INSERT INTO books_title_key_fts (rowid, key) SELECT n, new.title_key FROM books_title_key_fts_rows WHERE n = (SELECT n FROM books_title_key_fts_rows WHERE id = new.id); END",
            "CREATE TRIGGER books_title_key_fts_delete AFTER DELETE ON books BEGIN INSERT INTO books_title_key_fts (books_title_key_fts, rowid, key) SELECT 'delete', n, old.title_key FROM books_title_key_fts_rows WHERE id = old.id; DELETE FROM books_title_key_fts_rows WHERE id = old.id; END",
        ],
    )
    op.attach(
        "ix_books_author_key_trigrams",
        postgresql=[
            """DO $fh$
    BEGIN
      CREATE EXTENSION IF NOT EXISTS pg_trgm;
    EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR unique_violation THEN
      RAISE NOTICE 'pg_trgm is not available: __contains looks through every row';
    END
    $fh$
    """,
            """DO $fh$
    BEGIN
      IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') THEN
        CREATE INDEX ix_books_author_key_trigrams ON books USING gin (author_key gin_trgm_ops) WITH (fastupdate = off);
      END IF;
    END
    $fh$
    """,
        ],
        sqlite=[
            "CREATE TABLE books_author_key_fts_rows (n INTEGER PRIMARY KEY, id CHAR(32) NOT NULL UNIQUE)",
            "CREATE VIRTUAL TABLE books_author_key_fts USING fts5(key, content = '', tokenize = 'trigram case_sensitive 1', detail = none, columnsize = 0)",
            "INSERT INTO books_author_key_fts_rows (id) SELECT id FROM books",
            "INSERT INTO books_author_key_fts (rowid, key) SELECT r.n, t.author_key FROM books_author_key_fts_rows AS r JOIN books AS t ON t.id = r.id",
            "CREATE TRIGGER books_author_key_fts_insert AFTER INSERT ON books BEGIN INSERT INTO books_author_key_fts_rows (id) VALUES (new.id); INSERT INTO books_author_key_fts (rowid, key) SELECT n, new.author_key FROM books_author_key_fts_rows WHERE id = new.id; END",
            "CREATE TRIGGER books_author_key_fts_update AFTER UPDATE OF id, author_key ON books WHEN old.id IS NOT new.id OR old.author_key IS NOT new.author_key BEGIN INSERT INTO books_author_key_fts (books_author_key_fts, rowid, key) SELECT 'delete', n, old.author_key FROM books_author_key_fts_rows WHERE id = old.id; UPDATE books_author_key_fts_rows SET id = new.id WHERE id = old.id; INSERT INTO books_author_key_fts (rowid, key) SELECT n, new.author_key FROM books_author_key_fts_rows WHERE n = (SELECT n FROM books_author_key_fts_rows WHERE id = new.id); END",
            "CREATE TRIGGER books_author_key_fts_delete AFTER DELETE ON books BEGIN INSERT INTO books_author_key_fts (books_author_key_fts, rowid, key) SELECT 'delete', n, old.author_key FROM books_author_key_fts_rows WHERE id = old.id; DELETE FROM books_author_key_fts_rows WHERE id = old.id; END",
        ],
    )


def downgrade() -> None:
    """Take back."""
    op.detach(
        "ix_books_author_key_trigrams",
        postgresql=[
            "DROP INDEX IF EXISTS ix_books_author_key_trigrams",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS books_author_key_fts_insert",
            "DROP TRIGGER IF EXISTS books_author_key_fts_update",
            "DROP TRIGGER IF EXISTS books_author_key_fts_delete",
            "DROP TABLE IF EXISTS books_author_key_fts",
            "DROP TABLE IF EXISTS books_author_key_fts_rows",
        ],
    )
    op.detach(
        "ix_books_title_key_trigrams",
        postgresql=[
            "DROP INDEX IF EXISTS ix_books_title_key_trigrams",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS books_title_key_fts_insert",
            "DROP TRIGGER IF EXISTS books_title_key_fts_update",
            "DROP TRIGGER IF EXISTS books_title_key_fts_delete",
            "DROP TABLE IF EXISTS books_title_key_fts",
            "DROP TABLE IF EXISTS books_title_key_fts_rows",
        ],
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("language")
