"""An application that runs for many tests, each of which finds it as it was when it started.

Starting one costs two hundred milliseconds, a stage in a running one five.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from freehold.store.touched import Watchers
from freehold.testing.budget import Statements, watch
from freehold.testing.callers import TestAuthenticator
from freehold.testing.isolation import isolated
from freehold.testing.memory import restored
from freehold.testing.pristine import Pristine, pristine
from freehold.testing.stage import Stage

if TYPE_CHECKING:
    from freehold.web.app import Freehold


class House:
    """A running application, one stage at a time. Made by `opened`."""

    def __init__(self, app: Freehold, statements: Statements) -> None:
        self.app = app
        self._statements = statements
        self._pristine: Pristine | None = None
        self._is_playing = False

    @asynccontextmanager
    async def stage(self, *, isolate: bool = True, workers: bool = True) -> AsyncIterator[Stage]:
        """A stage for one test, which leaves nothing behind: neither rows nor what the application holds in memory.

        isolate: one transaction around everything, undone at the end; the workers of jobs stand still. False commits
        for good; afterwards the database holds what it held when the application started.
        workers: of jobs and of health, at work where the stage commits for good; False spares their start.
        """
        if self._is_playing:
            raise RuntimeError("one stage at a time: another of this application is still in use")
        async with AsyncExitStack() as stack:
            self._is_playing = True
            stack.push_async_callback(self._end)
            stack.enter_context(restored(self.app))
            await stack.enter_async_context(isolating(self.app) if isolate else self._committing(workers=workers))
            yield played(self.app, self._statements)

    @asynccontextmanager
    async def _committing(self, *, workers: bool) -> AsyncIterator[None]:
        if self._pristine is None:
            self._pristine = await pristine(self.app.database)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.app.database.parts[Watchers].has_been_replaced)
            stack.push_async_callback(self._pristine.restore)
            if workers:
                stack.push_async_callback(self.app.jobs.stop)
                await self.app.jobs.start()
                stack.push_async_callback(self.app.health.stop)
                await self.app.health.start()
            yield

    async def _end(self) -> None:
        """Read again what the application keeps of its database."""
        self._is_playing = False
        if self.app.identity is not None:
            await self.app.identity.start()


@asynccontextmanager
async def opened(app: Freehold) -> AsyncIterator[House]:
    """Run an application's lifespan around the block, for many stages."""
    statements = watch(app.database)
    async with app.router.lifespan_context(app):
        await app.jobs.stop()
        await app.health.stop()
        app.state.freehold_house = House(app, statements)
        try:
            yield app.state.freehold_house
        finally:
            del app.state.freehold_house


@asynccontextmanager
async def running(app: Freehold, *, isolate: bool = True) -> AsyncIterator[Stage]:
    """An application for one stage: its lifespan runs around the block, unless it is `opened` already.

    isolate: one transaction around everything, undone at the end, so that a database serves many tests; the workers
    of jobs stand still then. False commits for good: give the application a database of its own.
    """
    there: House | None = getattr(app.state, "freehold_house", None)
    async with AsyncExitStack() as stack:
        if there is None and not isolate:
            yield await stack.enter_async_context(_for_good(app))
            return
        house = there if there is not None else await stack.enter_async_context(opened(app))
        yield await stack.enter_async_context(house.stage(isolate=isolate))


@asynccontextmanager
async def _for_good(app: Freehold) -> AsyncIterator[Stage]:
    statements = watch(app.database)
    async with app.router.lifespan_context(app):
        with restored(app):
            yield played(app, statements)


@asynccontextmanager
async def isolating(app: Freehold) -> AsyncIterator[None]:
    """One transaction around the block, undone at its end, for everything that asks the application's database."""
    async with isolated(app.database):
        app.health.register("database", app.database.ping)
        yield
    app.health.register("database", app.database.ping)


def played(app: Freehold, statements: Statements) -> Stage:
    """A stage of a running application, with callers of its own."""
    statements.clear()
    runtime = app.state.freehold
    runtime.authenticator = TestAuthenticator(runtime.authenticator)
    return Stage(app, runtime.authenticator, statements)
