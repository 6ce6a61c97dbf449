"""A Freehold app without a server: its database open, for commands that read or write rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from freehold.cli.target import load, name_of
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from freehold.identity import Identity
    from freehold.media import Files
    from freehold.web.app import Freehold


def freehold_app(target: str | None) -> Freehold:
    """The target, where it is a Freehold app. Raises ConfigurationError for a plain FastAPI one."""
    from freehold.web.app import Freehold

    app = load(target)
    if not isinstance(app, Freehold):
        raise ConfigurationError(f"{name_of(target)} is a plain FastAPI app; this command needs a Freehold app.")
    return app


def identity_of(app: Freehold) -> Identity:
    """Its accounts. Raises ConfigurationError where it has none of its own."""
    if app.identity is None:
        raise ConfigurationError(f"{app.title} has no accounts of its own: Freehold(..., identity=Identity(...)).")
    return app.identity


def files_of(app: Freehold) -> Files | None:
    """Where it keeps files; None for a service that takes none."""
    from freehold.web.import_job import ImportDesk

    if app.library is not None:
        return app.library.files
    desk: ImportDesk | None = app.database.parts.get(ImportDesk)
    return None if desk is None else desk.files


@asynccontextmanager
async def opened(app: Freehold) -> AsyncIterator[None]:
    """The database open and its schema checked; jobs stay where they are, for the service to run.

    Redis too, so that the processes that serve hear of what is written.
    """
    from freehold.web.schema import prepare_schema

    async with AsyncExitStack() as stack:
        stack.push_async_callback(app.database.close)
        await app.database.start()
        if app.redis is not None:
            stack.push_async_callback(app.redis.close)
            await app.redis.open()
        await prepare_schema(app)
        yield
