"""Where compiled operations stand: in front of FastAPI's middlewares, or of its routes where middlewares were added."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from freehold.observe.logs import get_logger
from freehold.web.answer import Ready
from freehold.web.compiled.entrance import Entrance
from freehold.web.compiled.table import Table, table_of
from freehold.web.edge_exchange import Exchange
from freehold.web.mounting import Mounted

__all__ = ["Entrance", "Front", "in_front"]

_RAISED: Final = "fh_raised"
_log = get_logger("freehold.compiled")


class Front:
    """Answers what is in the table and hands on the rest. What is raised is raised behind FastAPI's own handlers."""

    def __init__(self, inner: ASGIApp, app: FastAPI, table: Table, *, is_behind: bool) -> None:
        self._inner = inner
        self._app = app
        self.table = table
        self._is_behind = is_behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        found = self.table.find(scope) if scope["type"] == "http" else None
        if found is None:
            await self._inner(scope, receive, send)
            return
        place, key = found
        leads_to(scope, place.template, key)
        answering = place.operation.answer(self._app.state["freehold"], scope, receive)
        await self.conclude(answering, scope, receive, send)

    async def conclude(self, answering: Awaitable[ASGIApp], scope: Scope, receive: Receive, send: Send) -> None:
        """Send an answer, or have it raised where the application's own handlers see it."""
        try:
            reply = await answering
        except Exception as error:
            if self._is_behind:
                raise
            scope[_RAISED] = error
            await self._inner(scope, receive, send)
            return
        exchange = getattr(send, "__self__", None)
        if type(reply) is Ready and type(exchange) is Exchange and exchange.send_whole(reply):
            return
        await reply(scope, receive, send)


def leads_to(scope: Scope, template: str, key: str | None) -> None:
    """Note which operation answers a request."""
    scope.setdefault("state", {})["route"] = template
    scope["path_params"] = {} if key is None else {"id": key}


class _Raising:
    """In front of the routes: raises what an operation raised, so that the application's own handlers answer it."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = scope.pop(_RAISED, None)
        if error is not None:
            raise error
        await self._inner(scope, receive, send)


def in_front(stack: ASGIApp, app: FastAPI, mounted: Mounted) -> ASGIApp:
    """FastAPI's stack with the table in front. Middlewares of the application's own stay around every answer."""
    table = table_of(app, mounted)
    if table.is_off:
        return stack
    routes: ASGIApp | None = getattr(app.router, "middleware_stack", None)
    if routes is None:
        _log.warning("compiled operations are off: this FastAPI has no place in front of its routes")
        return stack
    if app.user_middleware:
        app.router.middleware_stack = Front(routes, app, table, is_behind=True)
        return stack
    app.router.middleware_stack = _Raising(routes)
    return Front(stack, app, table, is_behind=False)
