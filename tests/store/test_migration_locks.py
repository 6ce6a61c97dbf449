"""Migrations that would keep everybody from a table of many rows are refused with the way that does not (F09)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import MetaData

from freehold.errors import ConfigurationError
from freehold.store import migrate
from freehold.store.migrate import Migrations
from freehold.store.migration_locks import locking

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

UNSAFE = {
    'op.add_column("stays", sa.Column("guests", sa.Integer(), nullable=False))': "required column",
    'op.alter_column("stays", "price", type_=sa.BigInteger())': "new type",
    'op.alter_column("stays", "price", nullable=False)': "NOT NULL reads",
    'op.create_index("ix_stays_price", "stays", ["price"])': "keeps everybody from writing",
    'op.create_foreign_key("fk", "stays", "houses", ["house_id"], ["id"])': "reads every row",
    'op.create_check_constraint("positive", "stays", "price > 0")': "reads every row",
    'op.create_unique_constraint("one", "stays", ["price"])': "keeps everybody out",
    'with op.batch_alter_table("stays") as batch:\n        batch.create_index(batch.f("ix"), ["price"])': "from writing",
}
SAFE = (
    'op.add_column("stays", sa.Column("guests", sa.Integer(), nullable=True))',
    'op.add_column("stays", sa.Column("guests", sa.Integer(), nullable=False, server_default="1"))',
    'op.create_index("ix", "stays", ["price"], postgresql_concurrently=True)',
    'op.create_foreign_key("fk", "stays", "houses", ["house_id"], ["id"], postgresql_not_valid=True)',
    'op.create_table("stays", sa.Column("id", sa.Integer()))\n    op.create_index("ix", "stays", ["id"])',
    'op.drop_index("ix", "stays")',
)


def revision(folder: Path, body: str, *, number: int = 1) -> Path:
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    path = folder / "versions" / f"{number}.py"
    below = repr(f"r{number - 1}") if number > 1 else None
    path.write_text(
        f'"""Step {number}."""\nimport sqlalchemy as sa\nfrom alembic import op\nrevision = "r{number}"\n'
        f"down_revision = {below}\nbranch_labels = depends_on = None\n\n\ndef upgrade() -> None:\n    {body}\n\n\n"
        "def downgrade() -> None:\n    pass\n"
    )
    return path


def test_F09_each_operation_that_locks_is_found_with_its_remedy(tmp_path: Path) -> None:
    for body, what in UNSAFE.items():
        (found,) = locking([revision(tmp_path, body)])
        assert (found.table, what in found.what, bool(found.instead)) == ("stays", True, True), body
    for body in SAFE:
        assert locking([revision(tmp_path, body)]) == [], body


@pytest.mark.long
async def test_F09_up_refuses_on_many_rows_waits_for_no_lock_and_builds_concurrently(
    postgres_url: str, tmp_path: Path
) -> None:
    history = Migrations(tmp_path, postgres_url, [MetaData()])
    (tmp_path / "env.py").write_text("from freehold.store.migration_env import run\n\nrun()\n")
    revision(tmp_path, 'op.create_table("stays", sa.Column("id", sa.Integer()), sa.Column("price", sa.Integer()))')
    said: list[str] = []
    await migrate.up(history, say=said.append)
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    await connection.execute("INSERT INTO stays SELECT n, n FROM generate_series(1, 10001) n")
    revision(tmp_path, 'op.create_index("ix", "stays", ["price"])', number=2)
    with pytest.raises(ConfigurationError, match=r"2\.py:\d+: stays: building the index.*postgresql_concurrently"):
        await migrate.up(history, say=said.append)
    concurrently = 'op.create_index("ix", "stays", ["price"], postgresql_concurrently=True, if_not_exists=True)'
    revision(tmp_path, f"with op.get_context().autocommit_block():\n        {concurrently}", number=2)
    await asyncio.gather(*(migrate.up(history, say=said.append) for _ in range(2)))
    assert await connection.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass")

    revision(tmp_path, 'op.add_column("stays", sa.Column("guests", sa.Integer()))', number=3)
    held = connection.transaction()
    await held.start()
    await connection.execute("SELECT 1 FROM stays LIMIT 1")  # somebody reads for long
    waiting = asyncio.Event()
    running = asyncio.create_task(migrate.up(history, say=lambda line: waiting.set() if "in use" in line else None))
    await waiting.wait()
    await held.rollback()
    await running
    assert await migrate.current(history) == "r3"
    await connection.close()
