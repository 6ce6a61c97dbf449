"""The service whose pages are tested."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Freehold, Identity, Session, UserMixin
from freehold.identity import Cost, MagicLinks, Pages, UserCreate, UserUpdate
from freehold.settings import Settings
from tests.bases import AccountBase as Base


class Member(UserMixin, Base):
    __tablename__ = "test_page_members"

    kind: Mapped[str | None] = mapped_column(String(20))
    language: Mapped[str | None] = mapped_column(String(20))


class MemberCreate(UserCreate):
    kind: Literal["reader", "writer"]
    language: str | None = None


class MemberUpdate(UserUpdate):
    language: Literal["en", "de", "es"] | None = None


def _give_role(_db: Session, user: Member, draft: MemberCreate) -> None:
    user.roles = [draft.kind]


def application(
    database_url: str, var: Path, *, settings: dict[str, Any] | None = None, lifespan: Any = None, **more: Any
) -> Freehold:
    """A service with pages. settings, more: beside the plain ones, of the process and of Identity."""
    given = {"env": "test", "secret": "s" * 40, "limits": "off", **(settings or {})}
    identity = Identity(
        user=Member,
        create=MemberCreate,
        update=MemberUpdate,
        roles=("reader", "writer"),
        languages=("en", "de", "es"),
        on_register=_give_role,
        cost=Cost(memory_kib=64, passes=1),
        magic_links=MagicLinks(),
        pages=Pages(color="#7a1fa2", labels={"kind": "I am a"}),
        **more,
    )
    return Freehold(
        title="Marginalia",
        identity=identity,
        settings=Settings(var_dir=var, database_url=database_url, **given),
        lifespan=lifespan,
    )
