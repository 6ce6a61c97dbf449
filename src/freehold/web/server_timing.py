"""`Server-Timing` in development: what a browser shows beside a request (W3C Server Timing).

Stands inside the edge and is put up in development alone; elsewhere none of it is there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, event
from sqlalchemy.engine import Dialect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from freehold.resource.principal import Authenticator, Principal
from freehold.store.database import Database
from freehold.store.executor import Plan
from freehold.store.questions import Question
from freehold.store.read_path import ReadPath


@dataclass(slots=True)
class Clock:
    """The times of one request, in seconds."""

    began: float
    guard: float = 0.0
    statements: float = 0.0
    number: int = 0
    asked: float = 0.0

    def field(self) -> bytes:
        """As the header has it, in milliseconds."""
        total = time.perf_counter() - self.began
        parts = (("guard", self.guard, ""), ("sql", self.statements, f"{self.number} statements"), ("total", total, ""))
        told = (
            f"{name};dur={seconds * 1000:.3f}" + (f';desc="{text}"' if text else "") for name, seconds, text in parts
        )
        return ", ".join(told).encode()


_clock: ContextVar[Clock | None] = ContextVar("fh_server_timing", default=None)


class ServerTiming:
    """Wraps an ASGI application. Times are told as they stand when the answer begins."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self.app = app
        engines = (database.engine, database._readers)  # noqa: SLF001  # reads may have an engine of their own
        for engine in {id(each): each.sync_engine for each in engines}.values():
            event.listen(engine, "before_cursor_execute", _before)
            event.listen(engine, "after_cursor_execute", _after)
        path_of = database.read_path_of

        def timed_path_of(principal: Principal) -> ReadPath | None:
            path = path_of(principal)
            return None if path is None else TimedPath(path)

        database.read_path_of = timed_path_of  # type: ignore[method-assign]  # of this one database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        clock = Clock(time.perf_counter())
        token = _clock.set(clock)

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"server-timing", clock.field())]}
            await send(message)

        try:
            await self.app(scope, receive, timed)
        finally:
            _clock.reset(token)


class TimedPath:
    """A read path with a clock beside it: what goes to the driver itself meets no event of SQLAlchemy's."""

    def __init__(self, inner: ReadPath) -> None:
        self._inner = inner
        self.close = inner.close

    async def fetch(
        self, plan: Plan, params: Mapping[str, Any], *, principal: Principal, dialect: Dialect
    ) -> Sequence[Row[Any]]:
        """See `ReadPath`."""
        _before()
        rows = await self._inner.fetch(plan, params, principal=principal, dialect=dialect)
        _after()
        return rows

    def question(
        self, plan: Plan, params: Mapping[str, Any], *, principal: Principal, dialect: Dialect
    ) -> Question | None:
        """See `ReadPath`. Each request has a clock of its own."""
        return None


class TimedAuthenticator:
    """An authenticator, with a clock beside it."""

    def __init__(self, inner: Authenticator) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        """See `Authenticator`."""
        began, clock = time.perf_counter(), _clock.get()
        try:
            return await self._inner.authenticate(authorization)
        finally:
            if clock is not None:
                clock.guard += time.perf_counter() - began


def _before(*_: Any) -> None:
    clock = _clock.get()
    if clock is not None:
        clock.asked = time.perf_counter()


def _after(*_: Any) -> None:
    clock = _clock.get()
    if clock is not None:
        clock.number += 1
        clock.statements += time.perf_counter() - clock.asked
