"""Which credential a request shows, and who is behind it: a chain of readers, of which one at most finds something.

The Authorization header is the application's `Authenticator`'s. What else there is (a session cookie, an API key, a token
of another kind) is a `CredentialReader` in `Runtime.credentials`; to add a kind of credential, add a reader::

    class DPoP:
        source = "Authorization"
        def is_given(self, connection): ...   # its own scheme alone
        async def read(self, connection): ...

A reader of one's own for a scheme of the Authorization header comes before the authenticator. Two sources in one request
are 400: which one counts would be a guess, and a page must not be able to lend its cookie to a token (C04).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from starlette.requests import HTTPConnection
from starlette.types import Scope

from freehold.errors import BadRequest, ConfigurationError
from freehold.identity.service import Identity
from freehold.resource.principal import ANONYMOUS, Authenticator, Principal

AUTHORIZATION = "Authorization"
_AUTHORIZATION = b"authorization"
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class CredentialReader(Protocol):
    """Reads one kind of credential."""

    source: str
    """The header field that it stands in: the reader is asked where a request has it, and nowhere else."""

    def is_given(self, connection: HTTPConnection) -> bool:
        """Whether the request shows a credential of this kind, good or not. No I/O."""
        ...

    async def read(self, connection: HTTPConnection) -> Principal:
        """The caller. Raises Unauthenticated for one that is not good, Forbidden where a page of others sent it."""
        ...


class AuthorizationHeader:
    """Whatever the application's authenticator makes of the Authorization header."""

    source = AUTHORIZATION

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def is_given(self, connection: HTTPConnection) -> bool:
        """See `CredentialReader`."""
        return AUTHORIZATION in connection.headers

    async def read(self, connection: HTTPConnection) -> Principal:
        """See `CredentialReader`."""
        return await self._authenticator.authenticate(connection.headers.getlist("authorization"))


class CredentialChain:
    """The readers of an application. Only those are asked whose header field a request has."""

    def __init__(self, readers: Sequence[CredentialReader] = ()) -> None:
        self.readers = tuple(readers)
        self._readers = [(_field(reader.source), reader) for reader in readers]
        self._sources = frozenset([_AUTHORIZATION, *(source for source, _ in self._readers)])
        self._wants_no_authorization = all(source != _AUTHORIZATION for source, _ in self._readers)

    def at_once(self, scope: Scope, authenticator: Authenticator) -> Principal | None:
        """As `identified`, where nothing has to be waited for; None where something may have, a refusal among it."""
        shown: bytes | None = None
        for name, value in scope["headers"]:
            if name in self._sources:
                if shown is not None or name != _AUTHORIZATION:
                    return None
                shown = value
        if shown is None:
            return ANONYMOUS
        # A class of somebody's own may judge otherwise: it is asked in full.
        if not self._wants_no_authorization or type(authenticator) is not Identity:
            return None
        return authenticator.parts.bearer.known(shown.decode("latin-1"))

    async def identified(
        self, scope: Scope, authenticator: Authenticator, connection: HTTPConnection | None = None
    ) -> Principal:
        """The caller; `ANONYMOUS` where the request shows nothing. Raises BadRequest for more than one source.

        authenticator: reads what no reader wants of the Authorization header. connection: the request, where it is
        wrapped up as one.
        """
        there = [name for name, _ in scope["headers"] if name in self._sources]
        if not there:
            return ANONYMOUS
        if self._wants_no_authorization and all(name == _AUTHORIZATION for name in there):
            told = [value.decode("latin-1") for name, value in scope["headers"] if name == _AUTHORIZATION]
            return await authenticator.authenticate(told)
        connection = connection or HTTPConnection(scope)
        given: dict[str, CredentialReader] = {}
        for source, reader in self._readers:
            if source in there and reader.source not in given and reader.is_given(connection):
                given[reader.source] = reader
        if _AUTHORIZATION in there and AUTHORIZATION not in given:
            given[AUTHORIZATION] = AuthorizationHeader(authenticator)
        if len(given) > 1:
            raise several_credentials(given)
        for reader in given.values():
            return await reader.read(connection)
        return ANONYMOUS


def _field(source: str) -> bytes:
    """A header field as servers write its name (ASGI: lower case). Raises ConfigurationError for what is none."""
    if not _TOKEN.fullmatch(source):
        raise ConfigurationError(
            f"a credential reader with source={source!r} would never be asked: name the header field that it stands in; what stands "
            "elsewhere is for install(principal=...)"
        )
    return source.lower().encode("latin-1")


def several_credentials(sources: Sequence[str] | dict[str, CredentialReader]) -> BadRequest:
    """The refusal of a request that shows more than one credential."""
    named = " and ".join(sorted(sources))
    return BadRequest(f"Send one credential, not several: {named}.", code="auth.several_credentials")
