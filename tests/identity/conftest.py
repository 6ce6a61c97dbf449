"""A service's identity on a fresh database, with quick hashes, and mails kept in a list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Mapped, mapped_column
from tests.bases import AccountBase as Base
from tests.kept import Kept, kept, with_tables

from freehold.identity import Cost, Device, Identity, PasswordPolicy, UserCreate, UserMixin
from freehold.resource import clock
from freehold.resource.principal import system
from freehold.store.database import Database
from freehold.store.session import Session
from freehold.traffic.limits_memory import MemoryLimiter

QUICK = Cost(memory_kib=64, passes=1)
PASSWORD = "lantern quarry velvet 42"
SECRET = "0123456789abcdef0123456789abcdef"
HOME = Device("192.0.2.1", "a browser")


class Member(UserMixin, Base):
    """A user model with a column of the service's own."""

    __tablename__ = "test_members"

    phone: Mapped[str | None] = mapped_column(default=None)


class MemberCreate(UserCreate):
    phone: str | None = None
    account: str = "tenant"


async def _take_role(_db: Session, user: Member, draft: MemberCreate) -> None:
    user.roles = [draft.account]


@dataclass
class Letters:
    """Mails, each as it was owed. A real mailer writes a job; what is tested here is what identity asks of it."""

    sent: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, session: Session, /, *, to: str, subject: str, text: str, **rest: str | None) -> None:
        assert session.unit is not None, "a mail needs a transaction to be owed in"
        session.unit.after_commit(lambda: self.sent.append({"to": to, "subject": subject, "text": text}))

    def token(self) -> str:
        """The token of the last link."""
        link: str = next(line for line in self.sent[-1]["text"].splitlines() if "token=" in line)
        return link.partition("token=")[2]


@dataclass
class Hand:
    """A clock moved by hand."""

    at: datetime = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def hand() -> Iterator[Hand]:
    moved = Hand()
    clock.set_source(moved)
    yield moved
    clock.set_source(None)


@pytest.fixture
def letters() -> Letters:
    return Letters()


@pytest.fixture(scope="module")
async def _kept(module_database: str) -> AsyncIterator[Kept]:
    async with kept(Database.open(module_database), with_tables(Member.__table__)) as found:
        yield found


@pytest.fixture
async def database(_kept: Kept, hand: Hand) -> AsyncIterator[Database]:  # the clock is set before the first row
    async with _kept.lent() as found:
        yield found


@pytest.fixture
async def identity(database: Database, letters: Letters) -> AsyncIterator[Identity]:
    made = Identity(
        user=Member,
        create=MemberCreate,
        on_register=_take_role,
        staff_roles=("admin", "reviewer"),
        policy=PasswordPolicy(service_name="Imba"),
        cost=QUICK,
    )
    made.bind(
        database,
        secret=SECRET,
        public_url="https://imba.example",
        mailer=letters,
        limiter=MemoryLimiter(factor=None),
    )
    await made.start()
    yield made
    await made.close()


class People:
    """Short ways to say what tests say often."""

    secret = SECRET

    def __init__(self, identity: Identity) -> None:
        self.parts = identity.parts
        self.identity = identity

    async def add(self, email: str = "ada@example.com", **more: Any) -> Any:
        draft = MemberCreate(email=email, password=PASSWORD, full_name="Ada Lovelace", **more)
        hashed = await self.parts.passwords.hash(PASSWORD)
        async with self.parts.database.writing(system("test")) as unit:
            return await self.parts.accounts.register(unit.session, draft, password_hash=hashed)

    async def find(self, user_id: Any) -> Any:
        async with self.parts.database.reading(system("test")) as session:
            return await self.parts.accounts.get(session, user_id)

    async def log_in(self, email: str = "ada@example.com", password: str = PASSWORD, **more: Any) -> Any:
        return await self.parts.log_in(email, password, device=more.pop("device", HOME), **more)

    async def caller(self, access_token: str) -> Any:
        return await self.identity.authenticate([f"Bearer {access_token}"])

    async def run(self, function: Any, *arguments: Any, **named: Any) -> Any:
        async with self.parts.database.writing(system("test")) as unit:
            return await function(unit.session, *arguments, **named)


@pytest.fixture
def people(identity: Identity) -> People:
    return People(identity)
