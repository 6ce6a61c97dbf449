"""A database with its three log-ins: the owner of the tables, the role that serves, the role that reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

from sqlalchemy import Connection, MetaData, make_url, text

from freehold.store.plain_engine import plain_engine
from freehold.store.policies import put_up
from freehold.store.privileges import Roles, grant
from freehold.store.protection import Registry


class Walled:
    """The URLs of one database. Tables are made by its owner, who has no other right than that."""

    def __init__(self, url: str) -> None:
        name = uuid4().hex[:12]
        self.roles = Roles(f"fh_app_{name}", f"fh_reader_{name}")
        self.superuser = url
        self.owner_role = f"fh_owner_{name}"
        self.owner, self.app, self.reader = (
            make_url(url).set(username=role).render_as_string(hide_password=False)
            for role in (self.owner_role, self.roles.app, self.roles.reader)
        )

    async def build(self, metadata: Sequence[MetaData], registry: Registry) -> None:
        """As the owner: the tables, their policies, the grants."""

        def build(connection: Connection) -> None:
            for each in metadata:
                each.create_all(connection)
            put_up(connection, registry, reader=self.roles.reader)
            grant(connection, self.roles)

        async with plain_engine(make_url(self.owner)) as engine, engine.begin() as connection:
            await connection.run_sync(build)

    async def execute(self, *statements: str) -> None:
        """As the superuser."""
        async with plain_engine(make_url(self.superuser)) as engine, engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))


@asynccontextmanager
async def walled(url: str) -> AsyncIterator[Walled]:
    """Roles for a database, gone with what they own at the end."""
    found = Walled(url)
    names = (found.owner_role, found.roles.app, found.roles.reader)
    await found.execute(
        *(f"CREATE ROLE {name} LOGIN" for name in names), f"ALTER SCHEMA public OWNER TO {found.owner_role}"
    )
    try:
        yield found
    finally:
        await found.execute(
            "ALTER SCHEMA public OWNER TO CURRENT_USER",
            *(f"DROP OWNED BY {name} CASCADE" for name in names),
            *(f"DROP ROLE {name}" for name in names),
        )
