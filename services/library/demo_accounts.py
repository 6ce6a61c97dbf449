"""The people of the demo. They exist only where demo data was asked for."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "lantern quarry velvet 42"  # noqa: S105  # printed at the start, and refused in production


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One of them. purpose: what one logs in as them for."""

    email: str
    full_name: str
    roles: tuple[str, ...]
    category: str
    purpose: str


PATRON = DemoAccount("patron@demo.example", "Noor Haddad", ("patron",), "adult", "borrows; has books, one is overdue")
STUDENT = DemoAccount("student@demo.example", "Jonas Okafor", ("patron",), "student", "waits for a book; longer loans")
STAFF = DemoAccount(
    "staff@demo.example", "Mira Sand", ("librarian",), "staff", "runs the desk, the rules and the stock"
)
ACCOUNTS = (PATRON, STUDENT, STAFF)
