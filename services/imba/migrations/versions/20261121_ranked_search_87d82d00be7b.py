"""ranked search

Revision: 87d82d00be7b
Revises: e810c6ff71b0
Created: 2026-11-21 16:55:00.188980
"""

from alembic import op

revision = "87d82d00be7b"
down_revision = "e810c6ff71b0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
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
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE properties ALTER COLUMN search TYPE tsvector USING ''::tsvector")
    op.backfill("properties", "search", kind="search", sources=["title", "city", "description"])
    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_properties_kind"))
        batch_op.drop_index(batch_op.f("ix_properties_status"))
        batch_op.drop_index(batch_op.f("ix_properties_place"))
        batch_op.create_index("ix_properties_place", ["latitude", "longitude", "price_amount"], unique=False)
        batch_op.create_index("ix_properties_kind_newest", ["kind", "created_at", "id"], unique=False)
        batch_op.create_index("ix_properties_newest", ["created_at", "id"], unique=False)

    op.attach(
        "ix_properties_search_terms",
        postgresql=[
            "CREATE INDEX ix_properties_search_terms ON properties USING gin (search) WITH (fastupdate = off)",
        ],
        sqlite=[
            "CREATE TABLE properties_fts_rows (n INTEGER PRIMARY KEY, id CHAR(32) NOT NULL UNIQUE)",
            "CREATE VIRTUAL TABLE properties_fts USING fts5(lead, rest, content = '', tokenize = 'ascii', columnsize = 0)",
            "INSERT INTO properties_fts_rows (id) SELECT id FROM properties",
            "INSERT INTO properties_fts (rowid, lead, rest) SELECT r.n, substr(t.search, 1, instr(t.search || char(10), char(10)) - 1), substr(t.search, instr(t.search || char(10), char(10)) + 1) FROM properties_fts_rows AS r JOIN properties AS t ON t.id = r.id",
            "CREATE TRIGGER properties_fts_insert AFTER INSERT ON properties BEGIN INSERT INTO properties_fts_rows (id) VALUES (new.id); INSERT INTO properties_fts (rowid, lead, rest) SELECT n, substr(new.search, 1, instr(new.search || char(10), char(10)) - 1), substr(new.search, instr(new.search || char(10), char(10)) + 1) FROM properties_fts_rows WHERE id = new.id; END",
            "CREATE TRIGGER properties_fts_update AFTER UPDATE OF id, search ON properties WHEN old.id IS NOT new.id OR old.search IS NOT new.search BEGIN INSERT INTO properties_fts (properties_fts, rowid, lead, rest) SELECT 'delete', n, substr(old.search, 1, instr(old.search || char(10), char(10)) - 1), substr(old.search, instr(old.search || char(10), char(10)) + 1) FROM properties_fts_rows WHERE id = old.id; UPDATE properties_fts_rows SET id = new.id WHERE id = old.id; INSERT INTO properties_fts (rowid, lead, rest) SELECT n, substr(new.search, 1, instr(new.search || char(10), char(10)) - 1), substr(new.search, instr(new.search || char(10), char(10)) + 1) FROM properties_fts_rows WHERE n = (SELECT n FROM properties_fts_rows WHERE id = new.id); END",
            "CREATE TRIGGER properties_fts_delete AFTER DELETE ON properties BEGIN INSERT INTO properties_fts (properties_fts, rowid, lead, rest) SELECT 'delete', n, substr(old.search, 1, instr(old.search || char(10), char(10)) - 1), substr(old.search, instr(old.search || char(10), char(10)) + 1) FROM properties_fts_rows WHERE id = old.id; DELETE FROM properties_fts_rows WHERE id = old.id; END",
        ],
    )


def downgrade() -> None:
    """Take back."""
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
    if op.get_context().dialect.name == "postgresql":
        # The terms without their places, as the index before needs them.
        op.execute(
            "ALTER TABLE properties ALTER COLUMN search TYPE text USING array_to_string(tsvector_to_array(search), ' ')"
        )
    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.drop_index("ix_properties_newest")
        batch_op.drop_index("ix_properties_kind_newest")
        batch_op.drop_index("ix_properties_place")
        batch_op.create_index(batch_op.f("ix_properties_place"), ["latitude", "longitude"], unique=False)
        batch_op.create_index(batch_op.f("ix_properties_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_properties_kind"), ["kind"], unique=False)

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
