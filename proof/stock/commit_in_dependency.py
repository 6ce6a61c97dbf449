"""The same application, but for where it commits: in the dependency, once for all handlers, as many projects do."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncSession

from proof.stock.app import app, engine, get_session


class Flushing(AsyncSession):
    """The handlers' `commit` only writes; the dependency ends the transaction."""

    async def commit(self) -> None:
        await self.flush()


async def committing_session() -> AsyncIterator[AsyncSession]:
    async with Flushing(engine, expire_on_commit=False) as session:
        yield session
        await AsyncSession.commit(session)


app.dependency_overrides[get_session] = committing_session
