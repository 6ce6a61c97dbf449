"""How many statements each operation may run: the N+1 of an endpoint, found by the tests that call it anyway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2

from freehold.testing.budget import OverBudget, Statements, listed
from freehold.web.edge_methods import RouteTemplates


class Budgets:
    """The most statements that a request of each operation may run, and the most that one ran.

    used: by operation, `GET /v1/books/{id}`. otherwise: of operations that are not named; None for any number.
    """

    def __init__(self, at_most: Mapping[str, int], *, otherwise: int | None = None) -> None:
        self.at_most = at_most
        self.otherwise = otherwise
        self.used: dict[str, int] = {}

    def judge(self, operation: str, ran: list[str]) -> None:
        """Raise OverBudget where one request ran more than it may."""
        self.used[operation] = max(self.used.get(operation, 0), len(ran))
        allowed = self.at_most.get(operation, self.otherwise)
        if allowed is not None and len(ran) > allowed:
            raise OverBudget(f"{operation}: {len(ran)} statements where at most {allowed} may run:\n{listed(ran)}")


class _Noting:
    """An ASGI application that keeps which operation answered the last request."""

    def __init__(self, app: Any) -> None:
        self._app, self._templates = app, RouteTemplates(app)
        self.operation = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        method = scope.get("method", "")
        try:
            await self._app(scope, receive, send)
        finally:
            route = scope.get("state", {}).get("route") or self._templates.of(scope)
            self.operation = f"{method} {route}"


class CountingTransport(httpx2.AsyncBaseTransport):
    """Judges each request by the statements that ran meanwhile: one request at a time."""

    def __init__(self, app: Any, statements: Statements, budgets: Budgets) -> None:
        self._noting = _Noting(app)
        self._inner = httpx2.ASGITransport(app=self._noting, raise_app_exceptions=False)
        self._statements, self._budgets = statements, budgets

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Ask, then count."""
        before = len(self._statements)
        answer = await self._inner.handle_async_request(request)
        self._budgets.judge(self._noting.operation, self._statements[before:])
        return answer
