"""Z04: a field that its rule hides stays hidden in a row that is only shown beside another one, on both databases."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import Column, ForeignKey, MetaData, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import Access, Freehold, Queries, Resource, Session, anyone, nobody, owner, role, system
from freehold.resource.base import NAMING, new_id
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings
from tests.web.shelf import ADA, BOB, ByName, as_, served

pytestmark = pytest.mark.anyio
SECRETS = ("everybody-blind", "staff-eyes", "own-eyes")
PATHS = ("/v1/club-books?expand=author", "/v1/club-books?expand=readers", "/v1/club-people?expand=written,read")


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


readings = Table(
    "club_readings",
    Base.metadata,
    Column("book_id", ForeignKey("club_books.id"), primary_key=True),
    Column("person_id", ForeignKey("club_people.id"), primary_key=True),
)


class ClubPerson(Base):
    __tablename__ = "club_people"
    user_id: Mapped[UUID] = mapped_column(index=True)
    name: Mapped[str]
    hidden: Mapped[str]
    staff_note: Mapped[str]
    own_note: Mapped[str]
    written: Mapped[list[ClubBook]] = relationship(back_populates="author")
    read: Mapped[list[ClubBook]] = relationship(secondary=readings, back_populates="readers")


class ClubBook(Base):
    __tablename__ = "club_books"
    author_id: Mapped[UUID] = mapped_column(ForeignKey("club_people.id"), index=True)
    title: Mapped[str]
    own_note: Mapped[str]
    author: Mapped[ClubPerson] = relationship(back_populates="written")
    readers: Mapped[list[ClubPerson]] = relationship(secondary=readings, back_populates="read")


async def retitle(db: Session, actor: Any, book: ClubBook) -> None:
    book.title += "!"


@pytest.fixture(scope="module")
async def client(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx2.AsyncClient]:
    rules = {"hidden": nobody, "staff_note": role("staff"), "own_note": owner("user_id")}
    people = Resource(
        ClubPerson, access=Access(read=anyone, read_fields=rules), queries=Queries(expand=["written", "read"])
    )
    books = Resource(
        ClubBook,
        access=Access(read=anyone, update=anyone, read_fields={"own_note": owner("author.user_id")}),
        queries=Queries(expand=["author", "readers"]),
    )
    books.action("shout", retitle, access=anyone)
    settings = Settings(
        env="test",
        var_dir=tmp_path_factory.mktemp("var"),
        database_url=module_database,
        secret="x" * 40,
        limits="off",
        log_level="warning",
    )
    app = Freehold(people, books, settings=settings, authenticator=ByName())
    async with served(app) as found:
        async with app.database.writing(system("rows for a test")) as unit:
            for number, user in enumerate((ADA, BOB)):
                person = ClubPerson(
                    user_id=user,
                    name=f"p{number}",
                    hidden=SECRETS[0],
                    staff_note=SECRETS[1],
                    own_note=f"{SECRETS[2]}-{user}",
                )
                book = ClubBook(id=new_id(), title=f"b{number}", own_note=f"{SECRETS[2]}-{user}", author=person)
                book.readers.append(person)
                unit.session.add(book)
        yield found


@pytest.mark.parametrize("path", PATHS)
async def test_Z04_an_expanded_row_shows_no_field_that_its_own_rule_hides(
    client: httpx2.AsyncClient, path: str
) -> None:
    whole = path.partition("?")
    for headers, may_see in (({}, []), (as_("ada"), [f"own-eyes-{ADA}"]), (as_("staff"), [SECRETS[1]])):
        page = await client.get(path, headers=headers)
        items = page.json()["items"]
        assert page.status_code == 200
        assert any(row[name] for row in items for name in whole[2].partition("=")[2].split(","))  # something is shown
        text = page.text + "".join(
            [(await client.get(f"{whole[0]}/{row['id']}?{whole[2]}", headers=headers)).text for row in items]
        )
        for secret in (SECRETS[0], SECRETS[1], f"own-eyes-{ADA}", f"own-eyes-{BOB}"):
            assert (secret in text) == (secret in may_see), (secret, headers)


async def test_Z04_an_expanded_row_hides_what_the_row_itself_hides(client: httpx2.AsyncClient) -> None:
    person = (await client.get("/v1/club-people", headers=as_("ada"))).json()["items"]
    beside = (await client.get(PATHS[0], headers=as_("ada"))).json()["items"]
    alone = {row["id"]: row for row in person}
    for book in beside:
        assert json.dumps(book["author"], sort_keys=True) == json.dumps(alone[book["author"]["id"]], sort_keys=True)


async def test_Z05_the_answer_to_a_write_hides_it_too(client: httpx2.AsyncClient) -> None:
    book = (await client.get("/v1/club-books", headers=as_("ada"))).json()["items"][0]
    done = await client.post(f"/v1/club-books/{book['id']}/shout", headers=as_("staff"))
    assert done.status_code == 200
    assert "own_note" not in done.json()
