"""A derived column that comes to a table with rows: the migration computes it for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Integer, MetaData, String, insert, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Mapped, mapped_column

from freehold.errors import ConfigurationError
from freehold.resource.base import NAMING, Base
from freehold.resource.columns import derived, folded, search_document
from freehold.resource.fold import fold
from freehold.store import migrate

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


class Before(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class After(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class PlainPaper(Before):
    __tablename__ = "backfilled_papers"
    title: Mapped[str] = mapped_column(String(100))
    remark: Mapped[str | None] = mapped_column(String(100))


def _length(row: Mapping[str, Any]) -> int:
    return len(row["title"])


class Paper(After):
    __tablename__ = "backfilled_papers"
    title: Mapped[str] = mapped_column(String(100))
    remark: Mapped[str | None] = mapped_column(String(100))
    title_key: Mapped[str] = folded("title", index=True)
    remark_key: Mapped[str | None] = folded("remark")
    search: Mapped[str] = search_document("title", "remark")
    title_length: Mapped[int] = derived("length", "title", compute=_length, type_=Integer(), nullable=False)


FINDS = {
    "sqlite": "SELECT count(*) FROM backfilled_papers_fts WHERE backfilled_papers_fts MATCH '\"{term}\"'",
    "postgresql": "SELECT count(*) FROM backfilled_papers WHERE search @@ CAST('''{term}''' AS tsquery)",
}


def silent(_: str) -> None:
    """Say nothing."""


@pytest.mark.long
async def test_rows_that_were_there_get_the_values_of_new_derived_columns(database_url: str, tmp_path: Path) -> None:
    first = migrate.Migrations(tmp_path / "migrations", database_url, [Before.metadata])
    then = migrate.Migrations(tmp_path / "migrations", database_url, [After.metadata])
    await migrate.upgrade_own(database_url, say=silent)
    await migrate.make(first, "first", say=silent)
    await migrate.up(first, say=silent)
    engine = create_async_engine(database_url)
    try:
        rows = [{"title": f"Ärger {n}", "remark": "Straße" if n % 2 else None} for n in range(2_101)]
        async with engine.begin() as connection:
            await connection.execute(insert(PlainPaper), rows)

        made = await migrate.make(then, "derived columns", say=silent)
        assert made is not None
        written = made.read_text(encoding="utf-8")
        assert 'op.backfill("backfilled_papers", "title_key", kind="folded", sources=["title"])' in written
        assert written.index("op.backfill") < written.index("nullable=False") < written.index("op.attach")
        await migrate.up(then, say=silent)
        assert await migrate.check(then) == []
        assert await migrate.make(then, "nothing", say=silent) is None

        paper = Paper.__table__.c
        async with engine.connect() as connection:
            columns = (paper.title, paper.remark, paper.title_key, paper.remark_key, paper.title_length)
            found = (await connection.execute(select(*columns))).all()
            assert len(found) == 2_101
            for title, remark, title_key, remark_key, length in found:
                assert (title_key, length) == (fold(title), len(title))
                assert remark_key == (None if remark is None else fold(remark))
            for term, count in (("arger", 2_101), ("strasse", 1_050), ("2100", 1)):
                query = FINDS[engine.dialect.name].format(term=term)
                assert (await connection.execute(text(query))).scalar_one() == count, term
        await migrate.down(then, say=silent)
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM backfilled_papers"))).scalar_one() == 2_101

        # A kind that no model knows any more is told, and nothing is half done; without rows it is no matter.
        made.write_text(written.replace('kind="length"', 'kind="gone"').replace("title_length", "gone"))
        with pytest.raises(ConfigurationError, match=r"backfilled_papers\.gone is of kind 'gone'"):
            await migrate.up(then, say=silent)
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM backfilled_papers"))
        await migrate.up(then, say=silent)
    finally:
        await engine.dispose()
