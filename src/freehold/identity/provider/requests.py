"""Authorization requests: read, and checked against the client (RFC 6749 4.1.1, RFC 7636, OpenID Connect Core 3.1.2)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from freehold.identity.provider.clients import CODE, Client
from freehold.identity.provider.faults import (
    AddressUnknown,
    OAuthError,
    invalid_request,
    invalid_scope,
    unauthorized_client,
)
from freehold.identity.provider.redirects import is_registered
from freehold.resource import clock

LONGEST_VALUE = 1_000
_S256 = re.compile(r"[A-Za-z0-9_-]{43}")
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_SCOPE_NAME = re.compile(r"[!#-\[\]-~]+")
_KNOWN = frozenset(
    [
        "response_type",
        "response_mode",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "dpop_jkt",
        "login_hint",
        "request",
        "request_uri",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A request that may be put before a person. asked_at: seconds since 1970. key_thumbprint: of `dpop_jkt`."""

    client_id: str
    redirect_uri: str
    scope: tuple[str, ...]
    state: str | None
    nonce: str | None
    challenge: str
    prompt: tuple[str, ...]
    max_age: int | None
    key_thumbprint: str | None
    asked_at: float

    def as_dict(self) -> dict[str, Any]:
        """For a ticket."""
        return asdict(self)

    @classmethod
    def of_dict(cls, held: Mapping[str, Any]) -> Self:
        """From a ticket."""
        return cls(**{**held, "scope": tuple(held["scope"]), "prompt": tuple(held["prompt"])})

    @property
    def client_uuid(self) -> UUID:
        """The client's id."""
        return UUID(self.client_id)

    def is_fresh_enough(self, authenticated_at: datetime) -> bool:
        """Whether a log-in of that time answers `prompt=login` and `max_age` (O05)."""
        if authenticated_at.timestamp() >= self.asked_at:
            return True
        if "login" in self.prompt or "select_account" in self.prompt:
            return False
        return self.max_age is None or clock.now() - authenticated_at <= timedelta(seconds=self.max_age)


def redirect_uri_of(parameters: Mapping[str, str], client: Client) -> str:
    """The address to answer to. Raises AddressUnknown: without a registered one nothing may be sent anywhere (O02)."""
    given = parameters.get("redirect_uri")
    if given is None or not is_registered(given, client.redirect_uris, is_public=client.is_public):
        raise AddressUnknown
    return given


def read(parameters: Mapping[str, str], client: Client, *, scopes: Collection[str]) -> AuthorizationRequest:
    """The request. scopes: those of the service. Raises OAuthError, to be told to the redirect address."""
    for name in ("request", "request_uri"):
        if name in parameters:
            raise OAuthError(f"{name}_not_supported", f"{name} is not taken here.")
    if CODE not in client.grants:
        raise unauthorized_client("The client may not use the authorization code grant.")
    if parameters.get("response_type") != "code":
        wrong = "invalid_request" if "response_type" not in parameters else "unsupported_response_type"
        raise OAuthError(wrong, "response_type is code.")
    if parameters.get("response_mode", "query") != "query":
        raise invalid_request("response_mode is query.")
    if any(len(parameters.get(name, "")) > LONGEST_VALUE for name in ("state", "nonce", "scope")):
        raise invalid_request(f"state, nonce and scope have at most {LONGEST_VALUE} characters.")
    return AuthorizationRequest(
        client_id=str(client.id),
        redirect_uri=parameters["redirect_uri"],
        scope=tuple(sorted(scope_of(parameters.get("scope"), client, scopes=scopes))),
        state=parameters.get("state"),
        nonce=parameters.get("nonce"),
        challenge=_challenge(parameters),
        prompt=_prompt(parameters.get("prompt")),
        max_age=_max_age(parameters.get("max_age")),
        key_thumbprint=_thumbprint(parameters.get("dpop_jkt")),
        asked_at=clock.now().timestamp(),
    )


def scope_of(text: str | None, client: Client, *, scopes: Collection[str]) -> frozenset[str]:
    """The scopes that are asked for. Raises OAuthError `invalid_scope` for more than the client may have (O10)."""
    names = (text or "").split(" ")
    if not text or not all(_SCOPE_NAME.fullmatch(name) for name in names):
        raise invalid_scope("scope is a list of names, separated by single spaces.")
    if not set(names) <= client.scopes & frozenset(scopes):
        raise invalid_scope("The client may not ask for all of these scopes.")
    return frozenset(names)


def known(parameters: Mapping[str, str]) -> dict[str, str]:
    """Those that mean something here: others are ignored, and not kept."""
    return {name: value for name, value in parameters.items() if name in _KNOWN}


def _challenge(parameters: Mapping[str, str]) -> str:
    """RFC 7636 with S256 for every client (O03); the method has to be named, for its default is `plain`."""
    challenge = parameters.get("code_challenge", "")
    if parameters.get("code_challenge_method") != "S256" or not _S256.fullmatch(challenge):
        raise invalid_request("PKCE is required: code_challenge, and code_challenge_method=S256.")
    return challenge


def _prompt(text: str | None) -> tuple[str, ...]:
    wanted = frozenset((text or "").split())
    if not wanted <= _PROMPTS or ("none" in wanted and len(wanted) > 1):
        raise invalid_request("prompt is none, or some of login, consent and select_account.")
    return tuple(sorted(wanted))


def _max_age(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise invalid_request("max_age is a number of seconds.")
    return int(text)


def _thumbprint(text: str | None) -> str | None:
    if text is not None and not _S256.fullmatch(text):
        raise invalid_request("dpop_jkt is a SHA-256 thumbprint (RFC 7638).")
    return text
