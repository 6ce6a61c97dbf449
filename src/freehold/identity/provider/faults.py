"""Refusals of the provider: to a client in the words of OAuth (RFC 6749 4.1.2.1 and 5.2), to a person on a page."""

from __future__ import annotations

from collections.abc import Mapping

from freehold.errors import BadRequest


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


class RequestIncomplete(BadRequest):
    """The application's request lacks something, or says something twice; it may not be answered by a redirect (O02)."""

    code, title = "oauth.request_incomplete", "The application's request is not complete"


class ClientUnknown(BadRequest):
    """No client has this id (O02)."""

    code, title = "oauth.client_unknown", "The application is not known here"


class AddressUnknown(BadRequest):
    """The redirect address is none of the client's: nothing may be sent there (O02)."""

    code, title = "oauth.address_unknown", "The application's address is not registered for it"


class NotPushed(BadRequest):
    """The client has to push its requests (O12)."""

    code, title = "oauth.not_pushed", "The application has to push its request (PAR)"


class RequestOver(BadRequest):
    """A pushed request that is used, too old, or none (O12)."""

    code, title = "oauth.request_over", "The application's request is used or too old"


class PageIncomplete(BadRequest):
    """A page came back without its ticket, or with one of its own making."""

    code, title = "oauth.page_incomplete", "This page is not complete"


class PageOver(BadRequest):
    """A page came back after its ticket had ended."""

    code, title = "oauth.page_over", "This took too long"


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
