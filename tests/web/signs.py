"""A service of signs that everybody sees and diaries that their owners see, behind its server and without it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import MetaData
from sqlalchemy.orm import Mapped

from freehold import Access, Freehold, Identity, Resource, UserMixin, anyone, owner, system
from freehold.identity import Cost
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings
from freehold.store.touched import Watchers
from freehold.testing.memory import restored
from freehold.testing.pristine import pristine
from freehold.traffic import Limits, per_minute
from freehold.web.compiled.direct import Direct
from tests.kept import Kept
from tests.web.served import by_server, fields_of

PASSWORD = "lantern quarry velvet 42"
QUICK = Cost(memory_kib=64, passes=1)
OPEN = Limits(read=per_minute(1_000), write=per_minute(1_000))


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Person(UserMixin, Base):
    __tablename__ = "people"


class Sign(Base):
    """Everybody sees it."""

    text: Mapped[str]


class Diary(Base):
    """Its owner sees it."""

    text: Mapped[str]
    owner_id: Mapped[UUID]


@dataclass
class Site:
    """A running service: `direct`ly, and by the way of all requests. seen: whether each request was taken, in order."""

    app: Freehold
    direct: httpx2.AsyncClient
    plain: httpx2.AsyncClient
    seen: list[bool] = field(default_factory=list)

    async def both(self, path: str, headers: dict[str, str] | None = None, *, taken: bool = True) -> httpx2.Response:
        """What both answer, but for what is left of a quota."""
        self.seen.clear()
        given = {"X-Request-ID": "same", **(headers or {})}
        found, expected = [await each.get(path, headers=given) for each in (self.direct, self.plain)]
        assert (found.status_code, found.content) == (expected.status_code, expected.content), path
        assert _but_for_quota(found) == _but_for_quota(expected), path
        assert found.headers["x-request-id"] == "same"
        assert self.seen == [taken], path
        return found

    async def add(self, row: Any) -> str:
        """Its path."""
        async with self.app.database.writing(system("a row of a test")) as unit:
            unit.session.add(row)
            await unit.session.flush()
            return f"/v1/{'signs' if isinstance(row, Sign) else 'diaries'}/{row.id}"

    async def person(self, name: str) -> tuple[UUID, dict[str, str]]:
        """Somebody's id, and what their requests carry."""
        email = f"{name}@example.com"
        made = await self.plain.post("/v1/users", json={"email": email, "password": PASSWORD, "full_name": name})
        form = {"grant_type": "password", "username": email, "password": PASSWORD}
        got = await self.plain.post("/v1/auth/token", data=form)
        return UUID(made.json()["id"]), {"Authorization": f"Bearer {got.json()['access_token']}"}


Sites = Callable[[], AbstractAsyncContextManager[Site]]


def _but_for_quota(answer: httpx2.Response) -> list[tuple[str, str]]:
    return [each for each in fields_of(answer) if each[0] != "ratelimit"]


def made(
    url: str, folder: Path, *, limits: Limits = OPEN, kind: type[Freehold] = Freehold, **settings: Any
) -> Freehold:
    given = Settings(
        env="test", var_dir=folder, database_url=url, secret="x" * 40, log_level="error", limits="x1", **settings
    )
    signs = Resource(Sign, access=Access(read=anyone, write=anyone))
    diaries = Resource(Diary, access=Access(read=owner("owner_id")))
    return kind(signs, diaries, identity=Identity(user=Person, cost=QUICK), settings=given, limits=limits)


@asynccontextmanager
async def opened(app: Freehold) -> AsyncIterator[Site]:
    """A site of an application's own."""
    async with app.router.lifespan_context(app), _served(app) as site:
        yield site


@asynccontextmanager
async def kept_open(app: Freehold) -> AsyncIterator[Sites]:
    """Start an application for many sites, each of which finds it as it was; one at a time.

    What it remembers of requests is forgotten between them: known heads, callers, quotas.
    """
    async with app.router.lifespan_context(app):
        rows = Kept(app.database, await pristine(app.database))

        @asynccontextmanager
        async def site() -> AsyncIterator[Site]:
            async with rows.lent():
                with restored(app):
                    async with _served(app) as found:
                        yield found
            app.edge.direct = Direct(app.edge, app.edge.direct.front, app)
            await app.database.parts[Watchers].has_been_replaced()
            await app.identity.start()

        yield site


@asynccontextmanager
async def _served(app: Freehold) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        direct = await stack.enter_async_context(by_server(app))
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        plain = await stack.enter_async_context(
            httpx2.AsyncClient(transport=transport, base_url=str(direct.base_url), headers=direct.headers)
        )
        await direct.get("/health/live")  # the first request builds what all pass through
        site = Site(app, direct, plain)
        taker = app.edge.direct
        takes, repeats = taker.takes, taker.repeats
        taker.takes = lambda *given: site.seen.append(takes(*given)) or site.seen[-1]
        # What is not known by its bytes comes to `takes` then.
        taker.repeats = lambda *given: repeats(*given) and not site.seen.append(True)
        yield site
