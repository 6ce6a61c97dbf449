"""A WSGI application (Flask, Django, Bottle) behind the guards of this one, path by path on its way out.

What holds for it as for every operation: the edge (limits, deadline, hosts, headers, request id, log and metrics), the
caller and the rule, and problem documents for errors. What does not: the unit of work. It commits by itself, as it did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from freehold.errors import ConfigurationError
from freehold.resource.access import Rule
from freehold.web.admission import enter
from freehold.web.unit import allow

Environ = MutableMapping[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

PRINCIPAL = "freehold.principal"
"""The key of the caller, a `Principal`, in the environ; REMOTE_USER has the id, and is absent for nobody."""

_OF_THE_BODY = (b"content-", b"transfer-encoding", b"etag", b"last-modified")


class Wsgi:
    """An ASGI application around a WSGI one: `app.mount("/old", Wsgi(flask_app, access=signed_in))`.

    access: who may call any of it; a rule about the caller, as for `allow`. workers: threads, which is how many requests
    it serves at once. own_errors: leave its error pages as they are; otherwise an error whose body is no JSON becomes a
    problem document of the same status, and that of any 5xx too, whatever it says.
    Raises ConfigurationError where a2wsgi is not installed, or the rule is about rows.
    """

    def __init__(self, application: Application, *, access: Rule, workers: int = 10, own_errors: bool = False) -> None:
        try:
            from a2wsgi import WSGIMiddleware  # noqa: PLC0415  # an optional part
        except ModuleNotFoundError:
            raise ConfigurationError("A WSGI application needs a2wsgi: pip install 'freehold[wsgi]'") from None
        allow(access)
        self._access = access
        self._own_errors = own_errors
        around: Any = _with_caller(application)  # a2wsgi's type of an environ is narrower than PEP 3333's
        self._inner: Any = WSGIMiddleware(around, workers=workers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. A WebSocket is closed: WSGI has none."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        await enter(Request(scope), self._access)
        if self._own_errors:
            await self._inner(scope, receive, send)
            return
        answer = _Answer(send)
        await self._inner(scope, receive, answer.send)
        if answer.refusal is not None:
            raise answer.refusal


class _Answer:
    """Lets an answer through, or holds back an error that is no JSON."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.refusal: HTTPException | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.refusal = _refusal(message)
        if self.refusal is None:
            await self._send(message)


def _refusal(start: Message) -> HTTPException | None:
    status, headers = start["status"], start["headers"]
    media = dict(headers).get(b"content-type", b"").partition(b";")[0].strip()
    if status < 400 or (status < 500 and (media == b"application/json" or media.endswith(b"+json"))):
        return None
    kept = {
        name.decode("latin-1"): value.decode("latin-1") for name, value in headers if not name.startswith(_OF_THE_BODY)
    }
    return HTTPException(status, headers=kept)


def _with_caller(application: Application) -> Application:
    def called(request: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        principal = request["asgi.scope"]["state"]["fh_principal"]
        request[PRINCIPAL] = principal
        if principal.id is not None:
            request["REMOTE_USER"] = str(principal.id)
        return application(request, start_response)

    return called
