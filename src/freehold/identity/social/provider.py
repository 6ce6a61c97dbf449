"""What a provider is to Freehold, and how it is asked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlencode, urlsplit

from freehold.base64url import base64url
from freehold.identity.social.problems import LoginFailed, ProviderAway
from freehold.traffic.fetch import AddressRefused, Fetcher, FetchFailed

_LIMIT_BYTES: Final = 256 * 1024
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})")
_NO_ANSWER: Final = frozenset({408, 429})


@dataclass(frozen=True, slots=True)
class Profile:
    """Who somebody is at a provider. issuer and subject together are for good; the rest is what it says now."""

    issuer: str
    subject: str
    email: str | None = None
    is_email_verified: bool = False
    full_name: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One attempt, as the provider is asked. state, nonce and verifier are random, and of this attempt alone (L01)."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str

    @property
    def challenge(self) -> str:
        """S256 (RFC 7636 4.2)."""
        return base64url(hashlib.sha256(self.verifier.encode()).digest())


@dataclass(frozen=True, slots=True)
class Told:
    """A JSON answer. max_age: seconds for which it may be kept; None where it does not say."""

    content: Any
    max_age: int | None


class Asking:
    """Asks providers through the guarded fetcher. Raises ProviderAway where nobody answers, LoginFailed otherwise."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def json(
        self, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Told:
        """The content behind an address; with a form it is posted. No redirect is followed."""
        sent = {"Accept": "application/json", **(headers or {})}
        content = None
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            content = urlencode(form).encode()
        try:
            self._fetcher.require_secret(url)
            answer = await self._fetcher.fetch(
                url, method="GET" if form is None else "POST", headers=sent, content=content, limit_bytes=_LIMIT_BYTES
            )
        except AddressRefused as error:
            raise LoginFailed(f"The provider named an address that may not be asked: {error}") from error
        except FetchFailed as error:
            raise ProviderAway(str(error)) from error
        if answer.status >= 500 or answer.status in _NO_ANSWER:
            raise ProviderAway(f"The provider answered {answer.status}.")
        if answer.status != 200:
            raise LoginFailed(f"The provider answered {answer.status}.")
        try:
            told = json.loads(answer.body)
        except ValueError as error:
            raise LoginFailed("The provider's answer is no JSON.") from error
        age = _MAX_AGE.search(answer.headers.get("cache-control", "").lower())
        return Told(told, None if age is None else int(age.group(1)))

    async def object(
        self, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The same, where it has to be an object."""
        content = (await self.json(url, form=form, headers=headers)).content
        if not isinstance(content, dict):
            raise LoginFailed("The provider's answer is no object.")
        return content


class Provider(Protocol):
    """Somebody who says who a person is. name: in addresses. title: for people."""

    @property
    def name(self) -> str:
        """In addresses: a-z, digits, `-`."""
        ...

    @property
    def title(self) -> str:
        """For people: `Log in with …`."""
        ...

    @property
    def hosts(self) -> frozenset[str]:
        """`host:port` that the operator has named, and that may be asked wherever they are."""
        ...

    async def address(self, ask: Asking, question: Question) -> str:
        """Where the person is sent. Raises ProviderAway, LoginFailed."""
        ...

    async def profile(self, ask: Asking, question: Question, parameters: Mapping[str, str]) -> Profile:
        """Who came back. parameters: of the callback; `state` has been looked at. Raises ProviderAway, LoginFailed."""
        ...


def required_text(content: Mapping[str, Any], name: str, *, longest: int = 8192) -> str:
    """A member that has to be a text. Raises LoginFailed."""
    value = content.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise LoginFailed(f"The provider's answer has no good {name!r}.")
    return value


def host_of(url: str) -> str:
    """`host:port` of an address, for the fetcher."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
