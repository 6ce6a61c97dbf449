"""The acceptance set: a library service ported to FastAPI as its author would have, with its 24 known faults.

The rules know nothing of it. Of some faults they find a part, which is said beside it.
"""

from __future__ import annotations

import pytest

from freehold.readiness import Report
from tests.readiness.conftest import Audited
from tests.readiness.looking import findings

# number: what is wrong, the rule that finds it, and where: the file, and a part of the line.
FAULTS = {
    1: ("the password's hash is in answers", "password-in-response", "app/schemas.py", "password: str"),
    2: ("all users for everybody", "personal-data-open", "app/routers/users.py", "def get_users("),
    3: ("the role comes from the body", "role-from-client", "app/routers/users.py", "def create_user("),
    4: ("a refusal is 200", "denial-answers-200", "app/routers/books.py", "You are not authorized"),
    5: ("books are changed without log-in", "unauthenticated-write", "app/routers/books.py", "def update_book("),
    6: ("a loan's user is in the body", "owner-from-client", "app/routers/loans.py", "def create_loan("),
    7: ("an expired token is 403", "token-error-not-401", "app/util/auth.py", "Token is expired"),
    8: ("the secret falls back to a literal", "secret-default", "app/util/auth.py", "SECRET_KEY = "),
    9: ("the decoded token is printed", "secret-logged", "app/util/auth.py", "print("),
    10: ("log-in without limit", "login-unlimited", "app/routers/users.py", "def login("),
    11: ("bad page parameters give the whole table", "unbounded-list", "app/routers/books.py", "def get_books("),
    12: ("popularity sorted in Python", "rows-handled-in-python", "app/routers/books.py", "books.sort("),
    13: ("a search text is a pattern", "like-unescaped", "app/routers/books.py", ".like("),
    14: ("the clock is read at import", "clock-at-import", "app/models.py", "deadline"),
    # That a book lies in one place at a time no rule can know; that nothing keeps it from one loan twice, it can.
    15: ("a book may be on any number of loans", "association-without-key", "app/models.py", "loan_books = Table("),
    16: ("two orders can take one item", "taken-twice", "app/routers/orders.py", "item.order_id = order.id"),
    17: ("checkout is a GET", "action-by-get", "app/routers/orders.py", "def checkout("),
    18: ("money is a float", "float-money", "app/models.py", "price: Mapped[float]"),
    19: ("deleting a missing book is a 500", "missing-row-is-500", "app/routers/books.py", "db.delete(book)"),
    20: ("a bare except is 'e-mail taken'", "database-error-swallowed", "app/routers/users.py", "except:"),
    21: ("updating needs the password", "update-needs-password", "app/routers/users.py", "def update_user("),
    22: ("CORS is open to all", "cors-any-origin", "app/__init__.py", "CORSMiddleware"),
    23: ("the document has 2 of 16 paths", "openapi-file-behind", "app/static/swagger.yaml", ""),
    24: ("the pipeline runs other tests", "pipeline-runs-other-tests", ".github/workflows/main.yml", ""),
}
# The other halves of faults that name two things.
HALVES = [
    ("header-parsed-unchecked", "app/util/auth.py", ".split()[1]"),
    ("sqlite-fallback", "config.py", "DATABASE_URL"),
    ("secret-in-source", "app/util/auth.py", "eyJ"),
    ("limiter-per-process", "app/extensions.py", "Limiter("),
    ("lazy-load-in-loop", "app/routers/books.py", "book.loans"),
    ("missing-row-is-500", "app/routers/orders.py", "item.order_id"),
    ("database-committed", "library.db", ""),
    ("unauthenticated-write", "app/routers/loans.py", "def add_book("),
]


@pytest.fixture(scope="module")
def report(audited: Audited) -> Report:
    return audited("library_api", extra={"library.db": ""})


@pytest.mark.parametrize(("rule", "path", "part"), [found[1:] for found in FAULTS.values()] + HALVES)
def test_a_fault_is_found_where_it_stands(report: Report, rule: str, path: str, part: str) -> None:
    assert any(each[:2] == (rule, path) and part in each[2] for each in findings(report)), findings(report)


def test_each_of_the_24_is_met_by_a_rule() -> None:
    assert sorted(FAULTS) == list(range(1, 25))


def test_the_places_are_lines_of_the_files(report: Report) -> None:
    """A place can be clicked on: the file is there, and so is the line."""
    assert all(each.place.line >= 1 and not each.place.path.startswith("/") for each in report.findings)
