"""Demo data: real titles, copies of the best known, rules, people to log in as, and loans. Never in production."""

from __future__ import annotations

import gzip
from datetime import timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import insert, select

from freehold import Principal, Session, system
from freehold.errors import ConfigurationError
from freehold.fields import new_id, now
from freehold.identity import Passwords
from freehold.settings import Environment
from freehold.store import Database
from freehold.transfer import Report, import_file

from .books.models import Book
from .copies.models import Copy
from .demo_accounts import ACCOUNTS, PASSWORD, PATRON, STAFF, STUDENT, DemoAccount
from .holds import crud as holds
from .holds.schemas import HoldDraft
from .libraries.crud import MAIN
from .libraries.models import Library
from .loans import crud as loans
from .loans.models import Loan
from .loans.schemas import LoanDraft
from .patrons import crud as patrons
from .rules.models import CirculationRule
from .settings import LibrarySettings
from .users import crud as users
from .users.models import User

__all__ = ["ACCOUNTS", "PASSWORD", "load"]

FILE = Path(__file__).parent / "data" / "books.csv.gz"
TITLES = 2_000
WITH_COPIES = 400
COPIES_EACH = 2
BRANCH = UUID("00000000-0000-7000-8000-000000000002")
_WHY = system("load the demo")


async def load(database: Database, *, everything: bool = False, console: Console | None = None) -> None:
    """Load the demo, or leave what is there. everything: all 10,000 titles and copies of each, not the first 2,000.

    The titles commit 500 at a time, and go on where a start before was broken off; the rest commits at the end.
    Raises ConfigurationError in production: the accounts have a password that everyone can read.
    """
    if database.parts[LibrarySettings].env is Environment.PRODUCTION:
        raise ConfigurationError("DEMO: demo accounts have a public password; production does not load them")
    console = console or Console()
    async with database.reading(_WHY) as session:
        if await users.exists(session, PATRON.email):
            return
    report = await _titles(database, console, limit=None if everything else TITLES)
    async with database.writing(_WHY) as unit:
        await _fill(unit.session, limit=None if everything else WITH_COPIES)
    console.print(f"Demo data: {report.records - report.refused:,} titles, {len(ACCOUNTS)} accounts.")
    console.print(
        f"{report.noted:,} rows of the file were mended, {report.refused:,} refused; `freehold import` lists them."
    )


async def _titles(database: Database, console: Console, *, limit: int | None) -> Report:
    with Progress(console=console, transient=True) as progress, TemporaryDirectory() as folder:
        task = progress.add_task("Loading titles", total=None)

        def tell(done: int, total: int | None) -> None:
            progress.update(task, completed=done, total=total)

        file = FILE if limit is None else _beginning(Path(folder) / "books.csv", limit)
        return await import_file(database, "books", file, principal=_WHY, progress=tell)


def _beginning(file: Path, rows: int) -> Path:
    with gzip.open(FILE, "rt", encoding="utf-8") as whole:
        file.write_text("".join(islice(whole, rows + 1)), encoding="utf-8")
    return file


async def _fill(db: Session, *, limit: int | None) -> None:
    people = {account: await _person(db, account) for account in ACCOUNTS}
    await _houses(db)
    best_known = select(Book.id).order_by(Book.ratings_count.desc()).limit(limit)
    keys = list(await db.scalars(best_known))
    await db.execute(insert(Copy), [_copy(key, number) for number, key in enumerate(keys) for _ in range(COPIES_EACH)])
    actor = {account: Principal(id=key, roles=frozenset(account.roles)) for account, key in people.items()}
    for key in keys[:3]:
        db.add(await loans.borrow(db, actor[PATRON], LoanDraft(book_id=key)))
        await db.flush()
    for _ in range(COPIES_EACH - 1):
        await _lend_rest(db, actor[STAFF], keys[0])
    await holds.place(db, actor[STUDENT], HoldDraft(book_id=keys[0]))
    await _make_late(db, people[PATRON], keys[2])


async def _person(db: Session, account: DemoAccount) -> UUID:
    passwords = Passwords()
    try:
        password_hash = await passwords.hash(PASSWORD)
    finally:
        passwords.close()
    user = User(full_name=account.full_name, roles=list(account.roles))
    user.set_email(account.email)
    user.password_hash, user.email_verified_at = password_hash, now()
    db.add(user)
    await db.flush()
    db.add(await patrons.issue(db, user.id, account.category))
    await db.flush()
    return user.id


async def _houses(db: Session) -> None:
    place = {"time_zone": "Europe/Berlin", "currency": "EUR"}
    db.add(Library(id=MAIN, name="Main library", closed_weekdays=[7], **place))
    db.add(Library(id=BRANCH, name="Harbour branch", closed_weekdays=[1, 7], **place))
    await db.flush()
    db.add(CirculationRule(fine_amount=20, fine_cap=1000, cap_at_price=True, grace_days=1, loan_limit=8, renewals=2))
    db.add(CirculationRule(category="student", period_length=28, loan_limit=20))
    db.add(CirculationRule(item_type="dvd", period_length=7, loan_limit=3))
    db.add(CirculationRule(library_id=BRANCH, on_shelf_holds=False))
    await db.flush()


def _copy(book_id: UUID, number: int) -> dict[str, Any]:
    key = new_id()
    where = MAIN if number % 5 else BRANCH
    place = {"home_id": where, "library_id": where, "location": f"Shelf {number // 20 + 1}"}
    return {"id": key, "book_id": book_id, "barcode": f"3011{key.int % 10**10:010}", "price_amount": 1800, **place}


async def _lend_rest(db: Session, actor: Principal, book_id: UUID) -> None:
    db.add(await loans.borrow(db, actor, LoanDraft(book_id=book_id)))
    await db.flush()


async def _make_late(db: Session, patron_id: UUID, book_id: UUID) -> None:
    late = select(Loan).where(Loan.patron_id == patron_id, Loan.book_id == book_id)
    loan = (await db.scalars(late)).one()
    loan.loaned_at, loan.due_at = now() - timedelta(days=20), now() - timedelta(days=6)
    await db.flush()
    await loans.charge_lateness(db, loan)
