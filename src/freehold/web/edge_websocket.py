"""How the edge refuses a WebSocket: before it is accepted, with a true status where the server can send one."""

from __future__ import annotations

from starlette.types import Scope, Send

from freehold.errors import Problem
from freehold.web.problems import problem_parts

_POLICY_VIOLATION = 1008


async def refuse_websocket(scope: Scope, send: Send, problem: Problem, *, request_id: str) -> None:
    """Refuse the handshake: a problem document by the `websocket.http.response` extension, else a plain close (403)."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        return
    status, headers, body = problem_parts(problem, request_id=request_id)
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
