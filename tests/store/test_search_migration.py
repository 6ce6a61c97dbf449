"""The full-text index in migrations: made, checked, kept while its table is rebuilt, and taken back."""

from __future__ import annotations

import pytest
from sqlalchemy import MetaData, String, inspect, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Mapped, mapped_column

from freehold.resource.base import NAMING, Base
from freehold.resource.columns import folded, search_document
from freehold.store import migrate

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


class Local(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class SearchMoved(Local):
    title: Mapped[str] = mapped_column(String(100))
    title_key: Mapped[str] = folded("title", index=True)
    search: Mapped[str] = search_document("title")


REBUILD = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "rebuilt", {before!r}, None, None


def upgrade() -> None:
    with op.batch_alter_table("search_moveds", recreate="auto") as batch:
        batch.alter_column("title", type_=sa.String(length=200), existing_type=sa.String(length=100))


def downgrade() -> None:
    with op.batch_alter_table("search_moveds", recreate="auto") as batch:
        batch.alter_column("title", type_=sa.String(length=100), existing_type=sa.String(length=200))
"""
FINDS = {
    "sqlite": "SELECT count(*) FROM search_moveds_fts WHERE search_moveds_fts MATCH '\"{term}\"'",
    "postgresql": "SELECT count(*) FROM search_moveds WHERE search @@ CAST('''{term}''' AS tsquery)",
}


def silent(_: str) -> None:
    """Say nothing."""


@pytest.mark.long
async def test_a_migration_makes_keeps_and_drops_the_index(database_url, tmp_path):
    history = migrate.Migrations(tmp_path / "migrations", database_url, [Local.metadata])
    if database_url.startswith("postgresql"):
        await migrate.upgrade_own(database_url, say=silent)
    made = await migrate.make(history, "first", say=silent)
    assert made is not None
    assert "ix_search_moveds_search_terms" in made.read_text(encoding="utf-8")
    await migrate.up(history, say=silent)
    assert await migrate.check(history) == []
    assert await migrate.make(history, "nothing new", say=silent) is None

    engine = create_async_engine(database_url)
    try:
        async with AsyncSession(engine) as session:
            session.add(SearchMoved(title="before"))
            await session.commit()
        before = await migrate.current(history)
        (made.parent / "rebuilt.py").write_text(REBUILD.format(before=before), encoding="utf-8")
        await migrate.up(history, say=silent)
        async with AsyncSession(engine) as session:
            session.add(SearchMoved(title="after"))
            await session.commit()
            for term in ("before", "after"):
                found = await session.execute(text(FINDS[engine.dialect.name].format(term=term)))
                assert found.scalar_one() == 1, term
        await migrate.down(history, "base", say=silent)
        async with engine.connect() as connection:
            left = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            assert not [name for name in left if name.startswith("search_moveds")]
    finally:
        await engine.dispose()
