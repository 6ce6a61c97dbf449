"""Titles: numbers, languages, scripts, what is on the shelf, and what is read most."""

from __future__ import annotations

import csv
import gzip

import pytest

from freehold.testing import Person
from freehold.transfer import Record

from ..books import isbn
from ..books.cataloguing import draft_of
from ..books.schemas import BookDraft
from ..demo import FILE
from .shelves import DUNE, a_copy, lent, returned, title

pytestmark = pytest.mark.anyio


class TestISBN:
    @pytest.mark.parametrize(
        ("given", "thirteen", "ten"),
        [
            ("0-306-40615-2", "9780306406157", "0306406152"),
            ("978-0-306-40615-7", "9780306406157", "0306406152"),
            ("0-8044-2957-x", "9780804429573", "080442957X"),
            ("979-10-90636-07-1", "9791090636071", None),
        ],
    )
    def test_the_two_forms(self, given: str, thirteen: str, ten: str | None) -> None:
        assert (isbn.parse(given), isbn.short(thirteen)) == (thirteen, ten)

    @pytest.mark.parametrize(
        "given", ["0306406153", "9780306406158", "978030640615", "", "٠٣٠٦٤٠٦١٥٢", "9770306406157"]
    )
    def test_what_is_none(self, given: str) -> None:
        with pytest.raises(isbn.BadISBN):
            isbn.parse(given)

    async def test_one_gives_both_and_two_have_to_agree(self, librarian: Person) -> None:
        made = await librarian.made("/v1/books", DUNE | {"isbn": "0-306-40615-2"})
        assert (made["isbn"], made["isbn13"]) == ("0306406152", "9780306406157")
        taken = await librarian.post("/v1/books", DUNE | {"isbn13": "9780306406157"})
        assert (taken.status, taken.code) == (409, "library.isbn_taken")
        both = {"isbn": "0306406152", "isbn13": "9791090636071"}
        assert (await librarian.post("/v1/books", DUNE | both)).pointers == ["/isbn13"]
        changed = await librarian.patch(f"/v1/books/{made['id']}", {"isbn13": "979-10-90636-07-1"})
        assert (changed.json["isbn"], changed.json["isbn13"]) == (None, "9791090636071")
        assert (await librarian.patch(f"/v1/books/{made['id']}", {"isbn": "1"})).status == 422


class TestFinding:
    async def test_in_any_script_and_by_folded_letters(self, librarian: Person, anonymous: Person) -> None:
        for name, author in (
            ("Cien años de soledad", "Gabriel García Márquez"),
            ("الفيل الأزرق", "أحمد مراد"),
            ("NARUTO -ナルト- 巻ノ四十三", "Masashi Kishimoto"),
            ("Война и мир", "Лев Толстой"),
        ):
            await title(librarian, copies=0, title=name, author=author)
        for asked, found in (
            ("q=anos+MARQUEZ", "Cien años de soledad"),
            ("q=الأزرق", "الفيل الأزرق"),
            ("q=ナルト", "NARUTO -ナルト- 巻ノ四十三"),
            ("q=толстой", "Война и мир"),
            ("author__contains=garcia", "Cien años de soledad"),
            ("title__contains=SOLEDAD", "Cien años de soledad"),
        ):
            page = (await anonymous.get(f"/v1/books?{asked}")).json["items"]
            assert [book["title"] for book in page] == [found], asked
        assert (await anonymous.get("/v1/books?title__contains=%25")).json["items"] == [], "wildcards are letters"
        assert (await anonymous.get("/v1/books?isbn=nothing")).pointers == ["isbn"]

    async def test_what_is_on_the_shelf(self, ada: Person, librarian: Person) -> None:
        book, _ = await title(librarian, copies=2), await title(librarian, copies=0, title="Emma")
        path = f"/v1/books/{book['id']}/availability"
        loans = [await lent(ada, book["id"]) for _ in range(2)]
        assert (await ada.get(path)).json == {"copies": 2, "available": 0, "waiting": 0}
        assert (await ada.get("/v1/books?available=true&count=true")).json["total"] == 0
        await returned(ada, loans[0])
        found = (await ada.get("/v1/books?available=true")).json["items"]
        assert [each["id"] for each in found] == [book["id"]]
        assert (await ada.get("/v1/books?available=false&count=true")).json["total"] == 1

    async def test_by_how_often_it_was_borrowed(self, ada: Person, librarian: Person) -> None:
        books = [await title(librarian, title=name) for name in ("Emma", "Dune", "Ulysses")]
        for book, times in zip(books, (1, 3, 2), strict=True):
            for _ in range(times):
                await returned(ada, await lent(ada, book["id"]))
        ranked = (await ada.get("/v1/books?sort=-times_borrowed&times_borrowed__gte=2")).json["items"]
        assert [(book["title"], book["times_borrowed"]) for book in ranked] == [("Dune", 3), ("Ulysses", 2)]


class TestStock:
    async def test_a_title_with_copies_stays(self, librarian: Person, ada: Person) -> None:
        book = await title(librarian, copies=0)
        copy = await a_copy(librarian, book["id"])
        path = f"/v1/books/{book['id']}"
        assert (await librarian.delete(path)).code == "library.has_copies"
        assert (await ada.delete(path)).status == 403
        twin = await librarian.post("/v1/copies", {"book_id": book["id"], "barcode": copy["barcode"]})
        assert (twin.status, twin.code) == (409, "library.barcode_taken")
        loan = await lent(ada, book["id"])
        assert (await librarian.delete(f"/v1/copies/{copy['id']}")).code == "library.copy_state"
        await returned(ada, loan)
        assert (await librarian.delete(f"/v1/copies/{copy['id']}")).status == 204
        assert (await librarian.delete(path)).status == 204
        assert (await ada.get(path)).status == 404
        assert (await librarian.made(f"{path}/restoration"))["title"] == "Dune"

    async def test_a_copy_moves_between_libraries(self, librarian: Person, ada: Person) -> None:
        branch = await librarian.made("/v1/libraries", {"name": "Harbour", "time_zone": "Asia/Tokyo"})
        book = await title(librarian, copies=0)
        copy = await a_copy(librarian, book["id"])
        path = f"/v1/copies/{copy['id']}"
        sent = await librarian.made(f"{path}/transfer", {"library_id": branch["id"]})
        assert (sent["status"], sent["library_id"], sent["home_id"]) == ("in_transit", branch["id"], copy["home_id"])
        assert (await ada.post("/v1/loans", {"copy_id": copy["id"]})).code == "library.no_copy"
        assert (await librarian.made(f"{path}/arrival"))["status"] == "available"
        assert (await librarian.post(f"{path}/arrival")).code == "library.copy_state"
        assert (await lent(ada, book["id"]))["due_at"] == "2026-01-19T14:59:00Z", "the end of a day in Tokyo"


class TestCataloguing:
    def test_every_row_of_the_file_is_a_title_and_what_was_mended_is_said(self) -> None:
        noted: dict[str, int] = {}
        with gzip.open(FILE, "rt", encoding="utf-8", newline="") as file:
            for line, row in enumerate(csv.DictReader(file), start=2):
                record = Record(row, line=line)
                fields = draft_of(record)
                assert fields is not None
                BookDraft.model_validate(fields)
                for remark in record.remarks:
                    noted[f"{remark.column}: {remark.message}"] = noted.get(f"{remark.column}: {remark.message}", 0) + 1
        assert line == 10_001
        assert noted == {
            "isbn: leading zeros restored": 6601,
            "isbn: left out: the check digit is wrong": 23,
            "isbn: there is none; the long number is rounded and cannot stand for it": 700,
            "language_code: there is none": 1084,
            "original_publication_year: there is none": 21,
        }

    def test_a_row_without_a_title_is_refused(self) -> None:
        with gzip.open(FILE, "rt", encoding="utf-8", newline="") as file:
            row = next(csv.DictReader(file))
        record = Record(row | {"title": " ", "authors": "", "average_rating": "good"}, line=2)
        assert draft_of(record) is None
        assert [each.column for each in record.remarks if each.is_refusal] == ["title", "authors"]
