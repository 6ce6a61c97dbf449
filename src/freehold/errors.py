"""One tree of problems with stable codes (RFC 9457).

Every refusal that a client may see is a `Problem`. `web` turns it into an
`application/problem+json` answer; nothing else builds error bodies. A service
adds its own by subclassing the leaf with the right status and naming a code::

    class LoanLimitReached(Conflict):
        '''The patron already holds as many copies as the rule allows.'''
        code = "library.loan_limit"

    Problem
      BadRequest 400            MethodNotAllowed 405      TooLarge 413              PreconditionRequired 428
      Unauthenticated 401       NotAcceptable 406         UriTooLong 414            TooManyRequests 429
        InsufficientAuthentication
      Forbidden 403             Conflict 409              UnsupportedMediaType 415  HeadersTooLarge 431
        InsufficientScope       Gone 410                  Misdirected 421           Internal 500
      NotFound 404              PreconditionFailed 412    Invalid 422               Unavailable 503
                                                                                      OutcomeUnknown
                                                                                      DeadlineExceeded
                                                                                    StorageFull 507
    ConfigurationError          the start is refused; never reaches a client
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault in the input. `pointer` is a JSON Pointer into the body, `parameter` a query, path or header name."""

    code: str
    message: str
    pointer: str | None = None
    parameter: str | None = None

    def as_dict(self) -> dict[str, str]:
        """The wire form: the place that applies, the code and the message."""
        place = {"pointer": self.pointer} if self.pointer is not None else {"parameter": self.parameter or ""}
        return {**place, "code": self.code, "message": self.message}


class Problem(Exception):
    """A refusal that a client may see. Never raised itself: raise the leaf that says what happened.

    detail: one sentence for the person who meets it, without SQL, paths, secrets or other people's values.
    errors: the faults of the input, one by one. headers: sent with the answer.
    extra: further members of the problem document (RFC 9457 3.2).
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str | None = None,
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.problem_code = code or self.code
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


class BadRequest(Problem):
    """The request could not be parsed."""

    status, code, title = 400, "request.malformed", "The request could not be parsed"


class Unauthenticated(Problem):
    """Who are you? Carries `WWW-Authenticate` (RFC 6750 3)."""

    status, code, title = 401, "auth.unauthenticated", "Authentication is required"

    def __init__(self, detail: str | None = None, *, invalid_token: bool = False, **kwargs: Any) -> None:
        super().__init__(detail, **kwargs)
        self.headers.setdefault("WWW-Authenticate", 'Bearer error="invalid_token"' if invalid_token else "Bearer")


class InsufficientAuthentication(Unauthenticated):
    """Known, and asked to log in again: a short while ago, or with a second factor (RFC 9470)."""

    code, title = "auth.insufficient_user_authentication", "A more recent or a stronger log-in is needed"

    def __init__(self, *, max_age: int | None = None, acr_values: str | None = None) -> None:
        """Name what is needed. max_age: whole seconds. acr_values: the class of a log-in that would do."""
        asked = {"max_age": max_age, "acr_values": acr_values}
        extra = {name: value for name, value in asked.items() if value is not None}
        means = " with a second factor" if acr_values else ""
        super().__init__(f"Log in again{means} to do this.", extra=extra)
        named = "".join(f', {name}="{value}"' for name, value in extra.items())
        self.headers["WWW-Authenticate"] = f'Bearer error="insufficient_user_authentication"{named}'


class Forbidden(Problem):
    """Known, and not allowed."""

    status, code, title = 403, "auth.forbidden", "Not allowed"


class InsufficientScope(Forbidden):
    """The token lacks a scope, and nothing else stands in the way (RFC 6750 3.1)."""

    code, title = "auth.insufficient_scope", "The token lacks a scope"

    def __init__(self, *scopes: str) -> None:
        named = " ".join(scopes)
        super().__init__(f"This operation needs the scope{'s' if len(scopes) > 1 else ''} {named!r}.")
        self.headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{named}"'


class NotFound(Problem):
    """Not there, or not yours to know of: the two are the same answer."""

    status, code, title = 404, "request.not_found", "Not found"


class MethodNotAllowed(Problem):
    """The resource has no such method."""

    status, code, title = 405, "request.method_not_allowed", "Method not allowed"


class NotAcceptable(Problem):
    """None of the accepted types can be sent. Freehold's own operations send the form that they have instead."""

    status, code, title = 406, "request.not_acceptable", "Not acceptable"


class Conflict(Problem):
    """A rule of the domain is broken by the present state."""

    status, code, title = 409, "request.conflict", "Conflict"


class Gone(Problem):
    """It was here and is not any more."""

    status, code, title = 410, "request.gone", "Gone"


class PreconditionFailed(Problem):
    """`If-Match` does not name the present version (RFC 9110 13.1.1)."""

    status, code, title = 412, "request.precondition_failed", "Precondition failed"


class TooLarge(Problem):
    """The body is over the limit."""

    status, code, title = 413, "request.too_large", "Body too large"


class UriTooLong(Problem):
    """The request line is over the limit."""

    status, code, title = 414, "request.uri_too_long", "Request line too long"


class UnsupportedMediaType(Problem):
    """Wrong or missing Content-Type, or a Content-Encoding."""

    status, code, title = 415, "request.unsupported_media_type", "Unsupported media type"


class Misdirected(Problem):
    """The Host is not one of ours."""

    status, code, title = 421, "request.misdirected", "Unknown host"


class Invalid(Problem):
    """Understood, and not valid. `errors` says where."""

    status, code, title = 422, "request.invalid", "Invalid input"


class PreconditionRequired(Problem):
    """This operation needs `If-Match` (RFC 6585 3)."""

    status, code, title = 428, "request.precondition_required", "If-Match is required"


class TooManyRequests(Problem):
    """A quota is used up. retry_after: whole seconds."""

    status, code, title = 429, "request.too_many", "Too many requests"

    def __init__(self, detail: str | None = None, *, retry_after: int, **kwargs: Any) -> None:
        super().__init__(detail, **kwargs)
        self.headers.setdefault("Retry-After", str(retry_after))


class HeadersTooLarge(Problem):
    """The header block is over the limit."""

    status, code, title = 431, "request.headers_too_large", "Header fields too large"


class Internal(Problem):
    """Our fault. The client gets a request id and nothing else."""


class Unavailable(Problem):
    """Not now. retry_after: whole seconds."""

    status, code, title = 503, "service.unavailable", "Temporarily unavailable"

    def __init__(self, detail: str | None = None, *, retry_after: int = 1, **kwargs: Any) -> None:
        super().__init__(detail, **kwargs)
        self.headers.setdefault("Retry-After", str(retry_after))


class OutcomeUnknown(Unavailable):
    """The connection was lost, or the time was over, during the commit: it may or may not have happened."""

    code, title = "service.outcome_unknown", "Outcome unknown; retry with the same Idempotency-Key"


class AtCapacity(Unavailable):
    """As much of this kind is in progress as there may be. It is refused by design, and is no fault to be logged."""

    code, title = "service.at_capacity", "Too much in progress"


class DeadlineExceeded(Unavailable):
    """The request did not end by its deadline; nothing was changed."""

    code, title = "service.deadline_exceeded", "The request took too long"


class StorageFull(Problem):
    """The disk is full; nothing was changed."""

    status, code, title = 507, "service.storage_full", "Storage is full"


class ConfigurationError(Exception):
    """The start is refused. The message names what is wrong, where, and the remedy."""
