"""The planned reads of one caller in one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Row

from freehold.resource.principal import Principal
from freehold.store.executor import Executor, Plan, SessionExecutor
from freehold.store.protection import Grant
from freehold.store.read_path import Unserved
from freehold.store.scope import Scope
from freehold.store.straight import Straight

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session


class Reading:
    """Runs plans for one caller: on the database's read path where it has one, through a session for what is left.

    An `Executor`. `async with` it; the session is opened when it is first needed. Made by `Database.asking`.
    """

    __slots__ = ("_database", "_dialect", "_grant", "_held", "_path", "_session", "principal", "scope")

    def __init__(self, database: Database, principal: Principal, grant: Grant | None) -> None:
        self.principal = principal
        self._database = database
        self._grant = grant
        self._held: AsyncExitStack | None = None
        self._session: Session | None = None
        self._path = database.read_path_of(principal)
        self._dialect, shape = database.read_scopes.dialect(principal, grant)
        self.scope = Scope(principal, shape)
        self.scope.read_only = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._held is not None:
            await self._held.aclose()
            self._held = self._session = None

    @property
    def dialect_name(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._database.dialect_name

    async def fetch(self, plan: Plan, params: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """All rows of a plan."""
        if self._path is not None:
            try:
                return await self._path.fetch(plan, params, principal=self.principal, dialect=self._dialect)
            except Unserved:
                pass
        return await SessionExecutor(await self.session()).fetch(plan, params)

    async def session(self) -> Session:
        """A session of the same caller that cannot write."""
        if self._session is None:
            self._held = AsyncExitStack()
            asked = self._database.reading(self.principal, grant=self._grant, planned=True)
            self._session = await self._held.enter_async_context(asked)
        return self._session


def executor_of(source: Session | Reading | Straight) -> Executor:
    """Who runs plans for whoever asks."""
    return source if isinstance(source, Reading | Straight) else SessionExecutor(source)
