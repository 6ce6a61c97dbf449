"""A small service to be read on replicas: notes that anybody writes, diaries of one person each, a page that counts notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import MetaData, String, func, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Freehold, Queries, Resource, Session, anyone, install, owner, signed_in
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings
from freehold.traffic import Cache
from freehold.web import Resources
from tests.web.shelf import ByName


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Note(Base):
    __tablename__ = "replicated_notes"
    text: Mapped[str] = mapped_column(String(60), index=True)


class Diary(Base):
    __tablename__ = "replicated_diaries"
    owner_id: Mapped[UUID] = mapped_column(index=True)
    text: Mapped[str] = mapped_column(String(60))


class Counted(BaseModel):
    notes: int


async def counted(db: Session, actor: None) -> Counted:
    return Counted(notes=int(await db.scalar(select(func.count()).select_from(Note)) or 0))


def settings_of(url: str, folder: Path, **settings: Any) -> Settings:
    given = {"env": "test", "var_dir": folder, "database_url": url, "secret": "s" * 40, "limits": "off", **settings}
    return Settings(**given)


def installed(url: str, folder: Path, **settings: Any) -> FastAPI:
    """Notes in an application that was there first."""
    app, given = FastAPI(title="Replicated"), settings_of(url, folder, **settings)
    notes = Resource(Note, access=Access(read=anyone, write=anyone), queries=Queries(sort=["created_at"]))
    install(app, create_async_engine(url), resources=Resources(declared=[notes], secret="s" * 40), settings=given)
    return app


def make(url: str, folder: Path, **settings: Any) -> Freehold:
    notes = Resource(Note, access=Access(read=anyone, write=anyone), queries=Queries(sort=["created_at"]))
    notes.overview("counted", counted, returns=Counted, access=anyone)
    notes.overview("kept", counted, returns=Counted, access=anyone, cache=Cache(seconds=60))
    mine = owner("owner_id")
    diaries = Resource(Diary, access=Access(read=mine, create=signed_in, update=mine, delete=mine))
    given = settings_of(url, folder, **settings)
    return Freehold(notes, diaries, title="Replicated", authenticator=ByName(), settings=given)
