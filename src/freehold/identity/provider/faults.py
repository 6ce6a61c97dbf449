"""Refusals in the words of OAuth: `error` and `error_description` (RFC 6749 4.1.2.1 and 5.2)."""

from __future__ import annotations

from collections.abc import Mapping


class OAuthError(Exception):
    """A refusal with a code of the registry. description: ASCII, for the developer of the client."""

    def __init__(
        self, error: str, description: str, *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status
        self.headers = dict(headers or {})


class PageError(Exception):
    """An authorization request that may not be answered by a redirect: the person is told on a page (O02)."""


def invalid_request(description: str) -> OAuthError:
    """A parameter is missing, repeated or malformed."""
    return OAuthError("invalid_request", description)


def invalid_grant() -> OAuthError:
    """One answer for every code and refresh token that is not good, and for every reason."""
    return OAuthError("invalid_grant", "The code or token is unknown, used, too old, or not for this client.")


def invalid_scope(description: str) -> OAuthError:
    """More than may be had."""
    return OAuthError("invalid_scope", description)


def invalid_client() -> OAuthError:
    """Nothing says what was wrong with it. RFC 6749 5.2: a challenge in the scheme that was tried."""
    scheme = {"WWW-Authenticate": 'Basic realm="oauth", charset="UTF-8"'}
    return OAuthError("invalid_client", "The client could not be authenticated.", status=401, headers=scheme)


def unauthorized_client(description: str) -> OAuthError:
    """A client that is known, and may not do this."""
    return OAuthError("unauthorized_client", description)
