"""`freehold roles`, from no log-in to one that serves: least privilege by three commands (Z06)."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import make_url

Run = Callable[..., Any]
APP = """
from sqlalchemy.orm import Mapped
from sqlalchemy import MetaData
from freehold import Base as FreeholdBase
from freehold.resource.base import NAMING
from freehold import Access, Freehold, Resource, anyone

class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)

class Leaf(Base):
    __tablename__ = "cli_leaves"
    title: Mapped[str]

app = Freehold(Resource(Leaf, access=Access(read=anyone)), migrations="migrations")
"""

PRODUCTION = {
    "FREEHOLD_ENV": "production",
    "FREEHOLD_SECRET": secrets.token_urlsafe(48),
    "FREEHOLD_PUBLIC_URL": "https://leaves.example",
    "FREEHOLD_HOSTS": "leaves.example",
}


@pytest.fixture
def role(postgres_url: str) -> Iterator[str]:
    """The name of a role that is not there yet, and is gone afterwards."""
    name = f"fh_cli_{uuid4().hex[:12]}"
    yield name

    async def drop() -> None:
        connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
        try:
            await connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")
        finally:
            await connection.close()

    asyncio.run(drop())


@pytest.mark.long
def test_Z06_roles_makes_a_log_in_that_owns_nothing(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str, role: str
) -> None:
    for name in ("leaves", "unowned"):  # an app reads its settings once
        (project / f"{name}.py").write_text(APP)
    served = make_url(postgres_url).set(username=role, password="of-the-role")
    monkeypatch.setenv("FREEHOLD_DATABASE_URL", served.render_as_string(hide_password=False))
    refused = run("roles", "--app", "unowned:app")
    assert (refused.status, "FREEHOLD_OWNER_URL is not set" in refused.err) == (2, True)
    monkeypatch.setenv("FREEHOLD_OWNER_URL", postgres_url)
    printed = run("roles", "--sql", "--app", "leaves:app").out
    assert f"CREATE ROLE {role} LOGIN NOSUPERUSER" in printed
    assert "of-the-role" not in printed
    for _ in range(2):
        assert run("roles", "--app", "leaves:app").out.startswith(role)
    assert run("migrate", "make", "first", "--app", "leaves:app").status == 0
    assert "row-level security put up: cli_leaves" in run("migrate", "up", "--app", "leaves:app").out
    assert run("migrate", "check", "--app", "leaves:app").status == 0
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    for name, url in (("apart", os.environ["FREEHOLD_DATABASE_URL"]), ("one_log_in", postgres_url)):
        (project / f"{name}.py").write_text(APP)
        monkeypatch.setenv("FREEHOLD_DATABASE_URL", url)
        checked = run("migrate", "check", "--app", f"{name}:app")
        assert (checked.status, "row-level security is off" in checked.err) == (name != "apart",) * 2, checked.err

    async def may(statement: str) -> bool:
        connection = await asyncpg.connect(
            str(served.set(drivername="postgresql").render_as_string(hide_password=False))
        )
        try:
            await connection.execute(statement)
        except asyncpg.InsufficientPrivilegeError:
            return False
        finally:
            await connection.close()
        return True

    asked = ("SELECT FROM cli_leaves", "TRUNCATE cli_leaves", "DELETE FROM freehold_audit", "DROP TABLE cli_leaves")
    assert [asyncio.run(may(statement)) for statement in asked] == [True, False, False, False]
