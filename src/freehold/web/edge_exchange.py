"""One request and its answer, as the edge follows them: the only wrapper around `send`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import Message, Scope, Send

from freehold.errors import DeadlineExceeded, Problem
from freehold.observe.context import Trace
from freehold.web.addresses import below, root_of
from freehold.web.answer import Ready
from freehold.web.edge_deadline import Deadline
from freehold.web.edge_head import head_of
from freehold.web.edge_headers import RawHeaders, finished
from freehold.web.edge_limits import CLOSE, BodyLimit, too_large
from freehold.web.edge_load import Turn
from freehold.web.problem_translation import to_problem
from freehold.web.problems import problem_parts

_KEPT = frozenset({b"allow", b"retry-after", b"www-authenticate", b"connection", b"accept", b"accept-patch"})
_MADE = frozenset({201, 202})  # of what was made, operations tell the address within this service
_NOTHING: RawHeaders = []
_EMPTY: Message = {"type": "http.response.body", "body": b"", "more_body": False}
# Takes status, lines of the head and body of an answer at once; False where it has to come by messages.
_Whole = Callable[[int, bytes, bytes], bool]


class Exchange:
    """What is known of one request. `scope` is the application's; `send` is what the application gets."""

    __slots__ = (
        "_send",
        "_whole",
        "body_limit",
        "cors",
        "deadline",
        "has_credentials",
        "is_complete",
        "is_head",
        "is_replaced",
        "method",
        "problem",
        "root",
        "scope",
        "started",
        "status",
        "trace",
        "turn",
    )

    def __init__(self, scope: Scope, send: Send, trace: Trace, *, has_credentials: bool, cors: RawHeaders) -> None:
        self.scope = scope
        self.root = root_of(scope)  # as it came in: a mount inside goes on writing into the scope
        self.method: str = scope["method"]
        self.is_head = self.method == "HEAD"
        self.trace = trace
        self.has_credentials = has_credentials
        self.cors = cors
        self.status = 0
        self.started = self.is_complete = self.is_replaced = False
        self.problem: str | None = None
        self.body_limit: BodyLimit | None = None
        self.deadline: Deadline | None = None
        self.turn: Turn | None = None
        self._send = send
        # What a server of ours offers besides messages.
        self._whole: _Whole | None = getattr(getattr(send, "__self__", None), "write_whole", None)

    async def send(self, message: Message) -> None:
        """Pass a message of the application on, with what every answer carries."""
        if message["type"] == "http.response.start":
            problem = self._replacement(message)
            if problem is not None:
                self.is_replaced = True
                await self.refuse(problem)
                return
            await self._start(message["status"], message.get("headers", ()))
        elif not self.is_replaced:
            await self._body(message)

    def send_whole(self, answer: Ready) -> bool:
        """Send an answer in one piece; False, and nothing is sent, where it has to go by messages.

        An answer that may leave as another one does, and one that the server does not take so.
        """
        status = answer.status_code
        if self._whole is None or self.started or self.is_head or self._is_changed(status):
            return False
        body = bytes(answer.body)
        beside: RawHeaders = self.scope["state"].get("fh_headers", _NOTHING)
        head = head_of(
            answer.raw_headers,
            [*beside, *self.cors] if self.cors else beside,
            status=status,
            has_credentials=self.has_credentials,
            is_https=self.scope["scheme"] == "https",
            request_id=self.trace.request_id.encode(),
            size=len(body),
        )
        if head is None or not self._whole(status, head, body):
            return False
        self._begins(status)
        self.is_complete = True
        return True

    def _is_changed(self, status: int) -> bool:
        """Whether an answer may leave as another one."""
        is_too_long = self.body_limit is not None and self.body_limit.passed
        return status >= 400 or is_too_long or (bool(self.root) and status in _MADE)

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem; nothing may have been sent before."""
        self.problem = problem.problem_code
        status, headers, body = problem_parts(problem, request_id=self.trace.request_id)
        await self._start(status, headers)
        await self._body({"type": "http.response.body", "body": body, "more_body": False})

    async def answer(self, status: int, headers: RawHeaders) -> None:
        """Answer without a body."""
        await self._start(status, headers)
        await self._body(_EMPTY)

    def _replacement(self, message: Message) -> Problem | None:
        """The problem to send instead: for a body over the limit, a passed deadline, and an error in plain text.

        Plain-text errors are made by servers and middlewares (FastAPI's own 413 among them), never by a page or an API.
        """
        if self.body_limit is not None and self.body_limit.passed:
            return too_large(self.body_limit.limit_bytes)
        status = message["status"]
        if status >= 500 and self.deadline is not None and self.deadline.is_over:
            return DeadlineExceeded(headers=CLOSE)  # what failed is the cleaning up after the cancellation
        if status < 400:
            return None
        headers: RawHeaders = list(message.get("headers", ()))
        kind = next((value for name, value in headers if name.lower() == b"content-type"), b"text/plain")
        if not kind.startswith(b"text/plain"):
            return None
        kept = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in headers if name in _KEPT}
        return to_problem(HTTPException(status, headers=kept))

    def _begins(self, status: int) -> None:
        self.started, self.status = True, status
        if self.turn is not None:
            self.turn.answered()
        if self.deadline is not None and not self.is_head:
            self.deadline.met()

    async def _start(self, status: int, given: Any) -> None:
        self._begins(status)
        headers = finished(
            list(given),
            status=status,
            has_credentials=self.has_credentials,
            is_https=self.scope["scheme"] == "https",
            request_id=self.trace.request_id.encode(),
        )
        headers += self.scope["state"].get("fh_headers", ())
        if self.root and status in _MADE:
            headers = below(self.root, headers)
        if self.cors:
            headers += self.cors
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _body(self, message: Message) -> None:
        if self.is_complete:
            return
        if self.is_head:
            message = _EMPTY
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.is_complete = True
        await self._send(message)
