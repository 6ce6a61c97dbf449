"""What a request needs of its application, found on the application and nowhere global."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection

from freehold.errors import ConfigurationError, Unauthenticated
from freehold.resource.access import anyone
from freehold.resource.principal import ANONYMOUS, Authenticator, Principal
from freehold.resource.signatures import wants_principal
from freehold.store.database import Database
from freehold.store.invariant_breach import Breach
from freehold.store.invariants import Registry
from freehold.store.session import Session
from freehold.traffic.service import Traffic
from freehold.web.credentials import CredentialChain

ActorLoader = Callable[[Session, Principal], Awaitable[Any]]


@dataclass(slots=True)
class Runtime:
    """The parts behind every operation of one application.

    load_actor: the caller's user row in the session at hand, for domain functions that ask for one.
    credentials: readers of others than those that the authenticator reads from the Authorization header.
    identify: takes the place of the authenticator where the caller is found in more than the Authorization header.
    retry_secret: under which what is kept for retries is sealed and compared, beside the client's own key.
    traffic: quotas, and kept answers.
    """

    database: Database
    authenticator: Authenticator
    load_actor: ActorLoader | None = None
    credentials: CredentialChain = field(default_factory=CredentialChain)
    identify: Callable[[HTTPConnection], Awaitable[Principal]] | None = None
    deadline_seconds: float = 30.0
    retry_secret: bytes = b""
    invariants: Registry = field(default_factory=Registry)
    traffic: Traffic = field(default_factory=Traffic)

    async def actor_for(self, function: Callable[..., Any], session: Session) -> Any:
        """What a domain function is given for the caller: the principal, or its user's row in the session at hand."""
        if wants_principal(function):
            return session.principal
        return None if self.load_actor is None else await self.load_actor(session, session.principal)

    def hidden(self, broken: Breach, principal: Principal) -> frozenset[str]:
        """Fields of the table of a broken rule that this caller may not read, in every row."""
        protection = self.database.registry.find(broken.bound.table.name)
        rules = {} if protection is None else protection.access.read_fields
        return frozenset(name for name, rule in rules.items() if rule.simplify(principal) != anyone)


class NoAccounts:
    """The authenticator of a service without accounts: a credential means nothing here, and is refused."""

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        """See `Authenticator`."""
        if authorization:
            raise Unauthenticated(invalid_token=True)
        return ANONYMOUS


def runtime(connection: HTTPConnection) -> Runtime:
    """The runtime of the application that serves this request, or of the one that it is mounted below."""
    found = runtime_if_any(connection)
    if found is None:
        raise ConfigurationError(
            f"allow(...) on a path of {connection.app.title!r}, where Freehold is not installed: call install(app, engine), or "
            "mount it below an application that has it before that one starts"
        )
    return found


def runtime_if_any(connection: HTTPConnection) -> Runtime | None:
    """The same; None where Freehold stands nowhere above."""
    state = connection.app.state
    found: Runtime | None = getattr(state, "freehold", None) or getattr(state, "freehold_above", None)
    return found
