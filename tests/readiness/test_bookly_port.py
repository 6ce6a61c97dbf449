"""Bookly in two generations: rows in a list, then rows in a database with the contract broken. The rules know nothing of it."""

from __future__ import annotations

import pytest

from tests.readiness.conftest import Audited
from tests.readiness.looking import findings

ROUTES = "src/books/routes.py"
FIRST = [
    ("patch-not-partial", ROUTES, "def update_book("),
    ("date-as-string", "src/books/schemas.py", "published_date: str"),
    ("negative-count", "src/books/schemas.py", "page_count: int"),
    ("unbounded-list", ROUTES, "def get_all_books("),
    ("id-from-count", ROUTES, "max("),
    ("state-in-process", "src/books/book_data.py", "books = ["),
    ("unauthenticated-write", ROUTES, "def delete_book("),
    ("unbounded-string", "src/books/schemas.py", "title: str"),
]
SECOND = [
    ("create-answers-200", "src/routes.py", "def create_book("),
    ("delete-answers-200", "src/routes.py", "def delete_book("),
    ("env-committed", ".env", ""),
    ("database-committed", "books.db", ""),
    ("orm-mode-deprecated", "src/routes.py", "from_orm"),
    ("patch-not-partial", "src/routes.py", "def update_book("),
    ("missing-row-is-500", "src/crud.py", "db.delete(db_book)"),
    ("unbounded-list", "src/routes.py", "def read_books("),
    ("blocking-in-async", "src/routes.py", "crud.create_book(db, book)"),
    ("date-as-string", "src/schemas.py", "published_date: str"),
    ("sqlite-fallback", "src/database.py", "DATABASE_URL"),
    ("tables-without-migrations", "main.py", "create_all"),
]


@pytest.mark.parametrize(("rule", "path", "part"), FIRST)
def test_the_first_generation(audited: Audited, rule: str, path: str, part: str) -> None:
    found = findings(audited("bookly_one", target="src:app"))
    assert any(each[:2] == (rule, path) and part in each[2] for each in found), found


@pytest.mark.parametrize(("rule", "path", "part"), SECOND)
def test_the_second_generation(audited: Audited, rule: str, path: str, part: str) -> None:
    found = findings(audited("bookly_two", extra={".env": "DATABASE_URL=sqlite:///./books.db\n", "books.db": ""}))
    assert any(each[:2] == (rule, path) and part in each[2] for each in found), found
