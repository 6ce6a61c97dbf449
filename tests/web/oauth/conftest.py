"""The provider of these tests: one application for each module, with a resource that names a scope."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import MetaData
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Freehold, Identity, Resource, UserMixin, owner, role, scope, signed_in, where
from freehold import Base as FreeholdBase
from freehold.identity import Cost, Pages
from freehold.identity.provider import Provider
from freehold.resource import clock
from freehold.resource.base import NAMING
from freehold.settings import Settings
from freehold.testing import Stage
from tests.web.oauth.world import ISSUER, Browser, Hand, World


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Guest(UserMixin, Base):
    __tablename__ = "oauth_guests"


class Note(Base):
    __tablename__ = "oauth_notes"

    owner_id: Mapped[UUID] = mapped_column(index=True)
    text: Mapped[str]


class Memo(Base):
    """Its rule names a scope in one of its ways, and none in the owner's own."""

    __tablename__ = "oauth_memos"

    owner_id: Mapped[UUID] = mapped_column(index=True)
    text: Mapped[str]
    is_public: Mapped[bool] = mapped_column(default=False)


class Draft(Base):
    __tablename__ = "oauth_drafts"

    owner_id: Mapped[UUID] = mapped_column(index=True)
    text: Mapped[str]


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    settings = Settings(
        env="test",
        var_dir=tmp_path_factory.mktemp("var"),
        database_url=module_database,
        secret="s" * 40,
        limits="off",
        public_url=ISSUER,
        allowed_receivers=["planner.example"],
    )
    mine = owner("owner_id")
    notes = Resource(Note, access=Access(read=mine & scope("notes:read"), write=mine))
    drafts = Resource(Draft, access=Access(read=mine, write=mine))
    memos = Resource(
        Memo,
        access=Access(
            read=mine | where(Memo.is_public) & scope("memos:public"),
            create=signed_in,
            update=mine | role("clerk") & scope("memos:public"),
            delete=mine | role("clerk") & scope("memos:public"),
        ),
    )
    provider = Provider(scopes={"notes:read": "Read your notes", "memos:public": "Read public memos"})
    identity = Identity(user=Guest, cost=Cost(memory_kib=64, passes=1), provider=provider, pages=Pages())
    return Freehold(notes, drafts, memos, title="Notes", identity=identity, settings=settings)


@pytest.fixture
def hand() -> Iterator[Hand]:
    moved = Hand()
    clock.set_source(moved)
    yield moved
    clock.set_source(None)


@pytest.fixture
def world(hand: Hand, stage: Stage) -> World:
    return World(stage)


@pytest.fixture
def browser(stage: Stage) -> Browser:
    return Browser(stage)
