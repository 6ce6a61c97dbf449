"""`install(identity=…)`: what it refuses at once, what it refuses at the start, and what it leaves to the application."""

from __future__ import annotations

from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import MetaData, inspect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Mapped
from starlette.requests import HTTPConnection

from freehold import Identity, Principal, UserMixin, install
from freehold.errors import ConfigurationError
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings

pytestmark = pytest.mark.anyio


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Member(UserMixin, Base):
    __tablename__ = "members"


class Invoice(Base):
    """A table that the application's own history is to make."""

    __tablename__ = "member_invoices"
    total: Mapped[int]


def settings(folder: Path, url: str, **changes: Any) -> Settings:
    given = {
        "env": "test",
        "var_dir": folder,
        "database_url": url,
        "secret": token_urlsafe(48),
        "limits": "off",
        **changes,
    }
    return Settings(**given)


async def names(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda each: inspect(each).get_table_names()))


async def who(_: HTTPConnection) -> Principal:
    return Principal()


async def test_two_answers_to_who_is_calling_are_refused(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/a.db"
    with pytest.raises(ConfigurationError, match="principal="):
        install(
            FastAPI(), create_async_engine(url), identity=Identity(user=Member), principal=who,
            settings=settings(tmp_path, url),
        )  # fmt: skip


async def test_the_accounts_get_their_table_and_the_application_keeps_its_history(
    database_url: str, tmp_path: Path
) -> None:
    engine, app = create_async_engine(database_url), FastAPI()
    install(app, engine, identity=Identity(user=Member), settings=settings(tmp_path, database_url))
    async with app.router.lifespan_context(app):
        made = await names(engine)
    assert {"members", "freehold_sessions"} <= made
    assert "member_invoices" not in made
    await engine.dispose()


async def test_F14_production_waits_for_the_migration_that_makes_the_accounts(
    database_url: str, tmp_path: Path
) -> None:
    engine, app = create_async_engine(database_url), FastAPI()
    strict = {"env": "production", "limits": "on", "public_url": "https://members.example.org"}
    given = settings(tmp_path, database_url, **strict, smtp_url="smtps://u:p@mail.example.org:465")
    install(app, engine, identity=Identity(user=Member), settings=given)
    with pytest.raises(ConfigurationError, match="table members is missing"):
        async with app.router.lifespan_context(app):
            pass
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.tables["members"].create)
    async with app.router.lifespan_context(app):
        assert "members" in await names(engine)
    await engine.dispose()
