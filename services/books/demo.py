"""Demo data: three people, their books and what they say of them. Loaded once, in one commit, never in production."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from freehold import Session, system
from freehold.errors import ConfigurationError
from freehold.fields import now
from freehold.identity import Passwords
from freehold.settings import Environment, Settings
from freehold.store import Database

from .books.models import Book
from .reviews.models import Review
from .users import User

PASSWORD = "lantern quarry velvet 42"  # noqa: S105  # printed at the start, and refused in production


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Somebody to log in as. purpose: what for."""

    email: str
    full_name: str
    purpose: str
    roles: tuple[str, ...] = ()


KEEPER = DemoAccount("keeper@demo.example", "Maud Ellery", "keeps the books of the demo, one of them a draft")
READER = DemoAccount("reader@demo.example", "Ivo Lind", "reviews them")
STAFF = DemoAccount("staff@demo.example", "Grace Abara", "administers", ("admin",))
ACCOUNTS = (KEEPER, READER, STAFF)

# title, author, year, pages, language, stars
BOOKS = [
    ("Emma", "Jane Austen", 1815, 474, "en", 5),
    ("Frankenstein", "Mary Shelley", 1818, 280, "en", 4),
    ("Eugénie Grandet", "Honoré de Balzac", 1833, 256, "fr", 3),
    ("Wuthering Heights", "Emily Brontë", 1847, 416, "en", 4),
    ("Middlemarch", "George Eliot", 1871, 880, "en", 5),
    ("Effi Briest", "Theodor Fontane", 1895, 354, "de", 4),
    ("吾輩は猫である", "夏目漱石", 1905, 520, "ja", 5),
    ("To the Lighthouse", "Virginia Woolf", 1927, 209, "en", 5),
]


async def load(database: Database, *, everything: bool = False) -> None:
    """Load the demo, or leave what is there.

    Raises ConfigurationError in production: the accounts have a password that everyone can read.
    """
    if database.parts[Settings].env is Environment.PRODUCTION:
        raise ConfigurationError("DEMO: demo accounts have a public password; production does not load them")
    async with database.writing(system("load the demo")) as unit:
        if await unit.session.scalar(select(User.id).limit(1)) is None:
            await _fill(unit.session)


async def _fill(db: Session) -> None:
    keeper, reader, _ = await _people(db)
    for title, author, year, pages, language, stars in BOOKS:
        book = Book(owner_id=keeper.id, title=title, author=author, year=year, page_count=pages, language=language)
        book.is_published = True
        db.add(book)
        await db.flush()
        db.add(Review(owner_id=reader.id, book_id=book.id, rating=stars, body=f"{stars} of 5."))
    db.add(Book(owner_id=keeper.id, title="A Field Guide to Drafts", author="Maud Ellery", year=now().year + 1))


async def _people(db: Session) -> list[User]:
    # Hashed once: to each the same password, and hashing is made to be slow.
    passwords = Passwords()
    try:
        password_hash = await passwords.hash(PASSWORD)
    finally:
        passwords.close()
    people = []
    for account in ACCOUNTS:
        user = User(full_name=account.full_name, roles=list(account.roles), password_hash=password_hash)
        user.set_email(account.email)
        user.email_verified_at = now()
        people.append(user)
    db.add_all(people)
    await db.flush()
    return people
