"""A small service for the tests of soft deletion and history: folders of papers that people own.

The classes have names of their own: the tests share one registry, and other tests have folders and papers too.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import ForeignKey, MetaData, String, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import (
    Access,
    Conflict,
    Freehold,
    Principal,
    Queries,
    Resource,
    Session,
    job,
    owner,
    role,
    signed_in,
    unique_while,
    where,
)
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.resource.columns import folded, search_document
from freehold.settings import Settings
from tests.web.shelf import ByName, as_


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Cabinet(Base):
    __tablename__ = "folders"

    owner_id: Mapped[UUID] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(60))
    papers: Mapped[list[Sheet]] = relationship(back_populates="folder", cascade="all")


class Sheet(Base):
    __tablename__ = "papers"

    owner_id: Mapped[UUID] = mapped_column(index=True)
    folder_id: Mapped[UUID | None] = mapped_column(ForeignKey("folders.id"), index=True)
    folder: Mapped[Cabinet | None] = relationship(back_populates="papers")
    title: Mapped[str] = mapped_column(String(60))
    title_key: Mapped[str] = folded("title", index=True)
    slug: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(20), default="note", index=True)
    is_public: Mapped[bool] = mapped_column(default=True)
    remark: Mapped[str | None] = mapped_column(String(60))
    pin: Mapped[str | None] = mapped_column(String(60))
    deleted_at: Mapped[datetime | None]
    search: Mapped[str] = search_document("title")


async def stamp(db: Session, actor: Principal, paper: Sheet) -> None:
    """Stamp a paper, and name its folder after it."""
    paper.kind = "stamped"
    async with db.unscoped("a stamp names the folder") as everything:
        if paper.folder_id is not None:
            folder = await everything.get_one(Cabinet, paper.folder_id)
            folder.name = paper.title


async def half(db: Session, actor: Principal, paper: Sheet) -> None:
    """Change it in a part that is undone, then once more."""
    try:
        async with db.begin_nested():
            paper.kind = "undone"
            await db.flush()
            raise Conflict("undone")  # noqa: TRY301 (the part fails of itself)
    except Conflict:
        await db.refresh(paper)
    paper.title = f"{paper.title}!"


async def may_return(db: Session, actor: Principal, paper: Sheet) -> None:
    """Refuse a paper of the kind that stays away."""
    if paper.kind == "final":
        raise Conflict("Final papers do not come back.", code="paper.final")


@job("archive.rename", system="rename papers in a test")
async def rename_all(db: Session, *, title: str) -> None:
    for paper in await db.scalars(select(Sheet)):
        paper.title = title


def make(url: str, folder: Path, **changes: Any) -> Freehold:
    mine = owner("owner_id")
    folders = Resource(
        Cabinet,
        access=Access(read=mine | role("staff"), create=signed_in, update=mine, delete=mine),
        queries=Queries(expand=["papers"]),
    )
    papers = Resource(
        Sheet,
        access=Access(
            read=where(lambda: Sheet.is_public) | mine | role("staff"),
            create=signed_in,
            update=mine,
            delete=mine | role("staff"),
            read_fields={"remark": mine | role("staff"), "pin": mine},
        ),
        queries=Queries(
            filters=["kind", "folder_id"], sort=["created_at"], search=["title"], facets=["kind"], expand=["folder"]
        ),
        invariants=[unique_while("slug", when=Sheet.deleted_at.is_(None))],
        soft_delete="deleted_at",
        untracked=["pin"],
        **{"purge_after": timedelta(days=30), **changes},
    )
    papers.action("stamp", stamp, access=mine)
    papers.action("half", half, access=mine)
    papers.restoration(may_return, access=mine | role("staff"))
    papers.history(access=signed_in, actors=role("staff"))
    folders.nested("papers", papers, by="folder_id")
    folders.history(access=mine)
    settings = Settings(
        env="test", var_dir=folder, database_url=url, secret="x" * 40, limits="off", log_level="warning"
    )
    return Freehold(folders, papers, title="Archive", settings=settings, authenticator=ByName(), jobs=[rename_all])


async def made(client: httpx2.AsyncClient, path: str = "papers", **values: Any) -> Any:
    """A paper or a box of Ada's, as it was answered."""
    body = {"title": "Deed", "slug": "deed"} if path == "papers" else {"name": "Box"}
    answer = await client.post(f"/v1/{path}", json=body | values, headers=as_("ada"))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def made_at(client: httpx2.AsyncClient, path: str = "papers", **values: Any) -> str:
    """The same; where it is."""
    return f"/v1/{path}/{(await made(client, path, **values))['id']}"
