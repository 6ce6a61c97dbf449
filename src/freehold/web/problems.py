"""Problem documents (RFC 9457): the one place where an error becomes an answer.

`type` is `/problems#<code>`: an address of this service where the code is explained. `instance` names this occurrence and
nothing else; it never repeats the path, which may hold what the client should not read back. A 5xx shows its fixed title
and the request id, by which the log record is found.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import AtCapacity, MethodNotAllowed, Problem
from freehold.observe.logs import get_logger
from freehold.web.edge_methods import allowed_methods
from freehold.web.problem_translation import to_problem

MEDIA_TYPE = "application/problem+json"
_log = get_logger("freehold.problem")


def instance_of(request_id: str) -> str:
    """The URI of this occurrence: an identifier, not an address."""
    return f"urn:freehold:request:{request_id}"


def problem_document(problem: Problem, *, request_id: str, instance: str | None = None) -> dict[str, Any]:
    """The members of the document. A 5xx has no detail and no further members, whatever was given to the problem."""
    shown: dict[str, Any] = dict(problem.extra) if problem.status < 500 else {}
    document: dict[str, Any] = {
        "type": shown.pop("type", f"/problems#{problem.problem_code}"),
        "title": problem.title,
        "status": problem.status,
        "instance": instance or instance_of(request_id),
        "code": problem.problem_code,
        "request_id": request_id,
    }
    if problem.status < 500 and problem.detail is not None:
        document["detail"] = problem.detail
    if problem.status < 500 and problem.errors:
        document["errors"] = [error.as_dict() for error in problem.errors]
    return {**shown, **document}


def encode(document: dict[str, Any]) -> bytes:
    """The document as UTF-8 JSON. Text that UTF-8 cannot hold (a lone surrogate from the input) is replaced."""
    try:
        return orjson.dumps(document)
    except TypeError:
        return json.dumps(document, ensure_ascii=False, default=str).encode("utf-8", "replace")


def problem_parts(
    problem: Problem, *, request_id: str, instance: str | None = None
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, raw headers and body of the answer, for code that speaks ASGI."""
    body = encode(problem_document(problem, request_id=request_id, instance=instance))
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    headers += [
        (k.lower().encode("latin-1", "replace"), v.encode("latin-1", "replace")) for k, v in problem.headers.items()
    ]
    return problem.status, headers, body


def problem_response(problem: Problem, *, request_id: str, instance: str | None = None) -> Response:
    """The answer to a problem."""
    status, headers, body = problem_parts(problem, request_id=request_id, instance=instance)
    response = Response(body, status)
    response.raw_headers = headers
    return response


def request_id_of(request: Request) -> str:
    """The id that the edge gave this request, or `unknown` where no edge stands in front."""
    return str(request.scope.get("state", {}).get("request_id", "unknown"))


async def answer(request: Request, error: Exception) -> Response:
    """The answer to any exception. Logs what is our fault; the edge or the server logs what escapes everything."""
    if isinstance(error, HTTPException) and error.status_code in (204, 304):
        return Response(status_code=error.status_code, headers=error.headers)
    problem = to_problem(error, request)
    if isinstance(problem, MethodNotAllowed):
        _set_allow(problem, request)
    if problem.status >= 500 and not isinstance(problem, AtCapacity):
        _log.error("request failed", problem=problem.problem_code, status=problem.status, exc_info=error)
    request.scope.setdefault("state", {})["problem"] = problem.problem_code
    return problem_response(problem, request_id=request_id_of(request))


async def _last_resort(request: Request, error: Exception) -> Response:
    """Starlette raises the error again once this is sent: whoever stands outside logs it."""
    problem = to_problem(error, request)
    request.scope.setdefault("state", {})["problem"] = problem.problem_code
    return problem_response(problem, request_id=request_id_of(request))


def _set_allow(problem: Problem, request: Request) -> None:
    """Name every method that the path has. The router knows only those of the first route that matched."""
    allowed = allowed_methods(request.scope)
    if allowed and request.method not in allowed:
        problem.headers = {name: value for name, value in problem.headers.items() if name.lower() != "allow"}
        problem.headers["Allow"] = ", ".join(allowed)


def install_handlers(app: FastAPI) -> None:
    """Turn every error of `app` into a problem document: those raised in routes and those raised around them."""
    kinds: list[type[Exception]] = [
        Problem,
        HTTPException,
        RequestValidationError,
        SQLAlchemyError,
        sqlite3.Error,
        OSError,
        ExceptionGroup,
    ]
    try:
        import asyncpg  # noqa: PLC0415  # the postgres extra may not be installed
    except ImportError:
        pass
    else:
        kinds += [asyncpg.PostgresError, asyncpg.InterfaceError]
    for kind in kinds:
        app.add_exception_handler(kind, answer)
    app.add_exception_handler(Exception, _last_resort)
