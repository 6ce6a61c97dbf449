"""Derived columns: computed at every flush and every Core INSERT."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Integer, MetaData, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from tests.sessions import session_on

from freehold.errors import ConfigurationError
from freehold.resource.base import NAMING, Base
from freehold.resource.columns import MAX_KEY_CHARACTERS, Derived, derived, derived_columns, folded, search_document
from freehold.resource.schemas import derive_create, derive_read

pytestmark = pytest.mark.anyio


class Local(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Titled(Local):
    __abstract__ = True
    title: Mapped[str]
    title_key: Mapped[str] = folded("title", index=True)


class ColumnsBook(Titled):
    place: Mapped[str | None] = mapped_column(default="Łódź")
    place_key: Mapped[str | None] = folded("place")
    search: Mapped[str] = search_document("title", "place")


class ColumnsFilm(Titled):
    length: Mapped[int] = derived("length", "title", compute=lambda row: len(row["title"]), type_=Integer())


async def stored(session: AsyncSession, name: str) -> Any:
    return (await session.execute(select(ColumnsBook.__table__.c[name]))).scalar_one()


def words(document: str) -> list[str]:
    """The terms of a document as either database gives it back, without their places."""
    return sorted(term for term in re.findall(r"[^\s':,\d]+A?", document) if term.isascii() and term.islower())


async def test_a_flush_computes(database_url):
    async with session_on(database_url, Local.metadata) as session:
        book = ColumnsBook(title="Über", title_key="a lie")
        session.add(book)
        await session.flush()
        assert (book.title_key, book.place_key) == ("uber", "lodz")
        assert words(await stored(session, "search")) == ["lodz", "uber"]
        book.place = None
        await session.flush()
        assert await stored(session, "place_key") is None
        assert words(await stored(session, "search")) == ["uber"]
        book.title_key = "another lie"
        await session.flush()
        assert await stored(session, "title_key") == "uber"


async def test_a_change_of_one_source_reads_the_others(database_url):
    async with session_on(database_url, Local.metadata) as session:
        session.add(ColumnsBook(title="Über"))
        await session.commit()
        session.expunge_all()
        book = (await session.scalars(select(ColumnsBook))).one()
        session.expire(book, ["title"])
        book.place = "Rome"
        await session.flush()
        assert words(await stored(session, "search")) == ["rome", "uber"]


async def test_an_unrelated_change_computes_nothing(database_url):
    async with session_on(database_url, Local.metadata) as session:
        film = ColumnsFilm(title="Solaris")
        session.add(film)
        await session.flush()
        film.row_version = 7
        await session.flush()
        assert (film.length, film.title_key) == (7, "solaris")


async def test_a_core_insert_computes(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await session.execute(insert(ColumnsBook.__table__), [{"title": "É"}, {"title": "Ö"}])
        rows = (await session.execute(select(ColumnsBook.title_key, ColumnsBook.place_key, ColumnsBook.search))).all()
        assert sorted((title, place, *words(search)) for title, place, search in rows) == [
            ("e", "lodz", "e", "lodz"),
            ("o", "lodz", "lodz", "o"),
        ]
        await session.execute(insert(ColumnsBook).values(title="Z", place=None))
        (row,) = (await session.execute(select(ColumnsBook.place_key).where(ColumnsBook.title == "Z"))).all()
        assert row.place_key is None


async def test_a_key_is_cut_and_fits_the_index(database_url):
    async with session_on(database_url, Local.metadata) as session:
        for text in ("\U0001f3e0" * 5_000, "ﷺ" * 5_000, "x" * 100_000):
            book = ColumnsBook(title=text)
            session.add(book)
            await session.flush()
            assert len(book.title_key) <= MAX_KEY_CHARACTERS


def test_columns_say_what_they_are_derived_from():
    table = ColumnsBook.__table__
    assert table.info["fh_derived_sources"] == {"title", "place"}
    assert {name: each.kind for name, each in derived_columns(table).items()} == {
        "title_key": "folded",
        "place_key": "folded",
        "search": "search",
    }
    assert isinstance(table.c.title_key.info["fh_derived"], Derived)
    assert [index.name for index in table.info["fh_ddl"]] == ["ix_columns_books_search_terms"]
    assert "fh_ddl" not in ColumnsFilm.__table__.info


def test_clients_neither_see_nor_send_them():
    hidden = {"title_key", "place_key", "search"}
    assert not hidden & set(derive_read(ColumnsBook).model_fields)
    assert not hidden & set(derive_create(ColumnsBook).model_fields)


class Wrong(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class ColumnsWrong(Wrong):
    key: Mapped[str] = folded("titel")


async def test_a_source_that_is_no_column_is_named(tmp_path):
    async with session_on(f"sqlite+aiosqlite:///{tmp_path}/test.db", Local.metadata) as session:
        session.add(ColumnsWrong())
        with pytest.raises(ConfigurationError, match=r"columns_wrongs\.key is derived from 'titel'"):
            await session.flush()
