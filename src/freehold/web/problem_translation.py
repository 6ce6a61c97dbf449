"""From any exception to a `Problem`: FastAPI's and Starlette's own, the databases', and the unknown."""

from __future__ import annotations

import errno
from functools import cache
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from freehold.errors import (
    BadRequest,
    FieldError,
    Internal,
    Invalid,
    Problem,
    StorageFull,
    Unavailable,
    UnsupportedMediaType,
)
from freehold.web.faults import code, sentence
from freehold.web.faults import pointer as json_pointer
from freehold.web.problem_database import from_database
from freehold.web.problem_table import problem_classes

_MAX_ERRORS = 100
_MAX_TEXT = 300
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_PLACES = frozenset({"query", "path", "header", "cookie"})


def to_problem(error: BaseException, request: Request | None = None) -> Problem:
    """The problem that `error` stands for; `Internal` when it stands for none. request: lets a wrong media type be told."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _from_validation(error, request)
    if isinstance(error, HTTPException):
        return _from_http(error)
    if isinstance(error, BaseExceptionGroup):
        return _from_group(error, request)
    return from_database(error) or _from_system(error) or Internal()


def _from_group(group: BaseExceptionGroup[BaseException], request: Request | None) -> Problem:
    """Of several failures at once the worst is told."""
    return max((to_problem(error, request) for error in group.exceptions), key=lambda problem: problem.status)


@cache
def _class_for(status: int) -> type[Problem]:
    """The problem class of a status that somebody gave as a number."""
    for kind in problem_classes():
        if kind.status == status and kind.__bases__ == (Problem,):
            return kind
    if status >= 500:
        return Internal if status == 500 else _made(status, "service.error")
    return _made(status, "request.refused")


def _made(status: int, code: str) -> type[Problem]:
    known = status in {member.value for member in HTTPStatus}
    title = HTTPStatus(status).phrase if known else "Refused"
    return type(f"Status{status}", (Problem,), {"status": status, "code": code, "title": title, "generated": True})


def _from_http(error: HTTPException) -> Problem:
    kind = _class_for(error.status_code)
    problem = Problem.__new__(kind)
    detail: Any = error.detail  # declared as text, and given as anything (FastAPI takes what JSON can hold)
    said = isinstance(detail, str) and detail not in ("", _phrase(error.status_code))
    Problem.__init__(problem, detail if said else None, headers=error.headers)
    if detail is not None and not isinstance(detail, str):
        problem.extra["details"] = detail
    if error.status_code == 401:
        problem.headers.setdefault("WWW-Authenticate", "Bearer")
    if error.status_code in (429, 503) and not any(name.lower() == "retry-after" for name in problem.headers):
        problem.headers["Retry-After"] = "1"
    return problem


def _phrase(status: int) -> str:
    """The standard phrase, which Starlette puts in as the detail when none is given."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _from_validation(error: RequestValidationError, request: Request | None) -> Problem:
    faults = error.errors()
    for fault in faults:
        if fault.get("type") == "json_invalid":
            position = fault["loc"][-1] if len(fault.get("loc", ())) > 1 else 0
            return BadRequest(f"The body is not JSON (at character {position}).")
    if _is_wrong_media_type(error, faults, request):
        wanted = "application/json" if isinstance(error.body, bytes) else ", ".join(_FORMS)
        return UnsupportedMediaType(f"Send the body as {wanted}.", headers={"Accept": wanted})
    return Invalid(errors=[_field_error(fault, error.body) for fault in faults[:_MAX_ERRORS]])


def _is_wrong_media_type(error: RequestValidationError, faults: Any, request: Request | None) -> bool:
    """FastAPI hands on the raw bytes, or an empty form, when the media type is not the one it reads."""
    if not any(fault.get("loc", ("",))[0] == "body" for fault in faults):
        return False
    if isinstance(error.body, bytes):
        return True
    if request is None or not hasattr(error.body, "multi_items"):
        return False
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return sent not in _FORMS and request.headers.get("content-length", "0") != "0"


def _field_error(fault: Any, body: Any) -> FieldError:
    place, *rest = fault.get("loc") or ("body",)
    message = sentence(fault)[:_MAX_TEXT]
    if place in _PLACES:
        return FieldError(code(fault), message, parameter=".".join(str(part) for part in rest)[:_MAX_TEXT])
    return FieldError(
        code(fault), message, pointer=json_pointer(_steps(rest, body, missing=fault["type"] == "missing"))
    )


def _steps(parts: list[Any], body: Any, *, missing: bool) -> list[int | str]:
    """The way to the fault inside the body. Pydantic names union members on the way; the body does not hold them."""
    at, kept = body, []
    for index, part in enumerate(parts):
        if _holds(at, part):
            at = at[part]
        elif isinstance(at, dict | list) and not (missing and index == len(parts) - 1):
            continue
        kept.append(part)
    return kept


def _holds(value: Any, part: Any) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def _from_system(error: BaseException) -> Problem | None:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull()
    if isinstance(error, ConnectionError | TimeoutError):
        return Unavailable(retry_after=2)
    return None
