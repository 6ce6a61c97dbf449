"""Callers without a log-in: an authenticator that knows what a test told it, in front of the application's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from freehold.errors import Unauthenticated
from freehold.resource.principal import Authenticator, Principal

SCHEME = "Test"


class TestAuthenticator:
    """Takes `Authorization: Test <name>` for the principal that was named so, and leaves the rest to `inner`."""

    __test__ = False  # not a test class, though its name begins like one

    def __init__(self, inner: Authenticator) -> None:
        self.inner = inner
        self._known: dict[str, Principal] = {}

    def admit(self, principal: Principal) -> dict[str, str]:
        """The headers that make a request the principal's; none for nobody."""
        if principal.is_anonymous:
            return {}
        name = uuid4().hex
        self._known[name] = principal
        return {"Authorization": f"{SCHEME} {name}"}

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        """The caller, as `Authenticator` says."""
        if len(authorization) == 1 and authorization[0].startswith(f"{SCHEME} "):
            found = self._known.get(authorization[0].removeprefix(f"{SCHEME} "))
            if found is None:
                raise Unauthenticated(invalid_token=True)
            return found
        return await self.inner.authenticate(authorization)


def principal_for(
    user: Any = None,
    *,
    id: UUID | None = None,  # noqa: A002  # the name that a principal has it under
    roles: Collection[str] | None = None,
    scopes: Collection[str] | None = None,
    claims: Mapping[str, Any] | None = None,
    authenticated_at: datetime | None = None,
    amr: Collection[str] = (),
) -> Principal:
    """A signed-in caller. user: a row with `id` and perhaps `roles`; what is given beside it wins.

    authenticated_at, amr: for rules with `recent` and `with_factor`; see `Principal`.
    """
    held = roles if roles is not None else getattr(user, "roles", None) or ()
    return Principal(
        id=id or getattr(user, "id", None) or uuid4(),
        roles=frozenset(held),
        scopes=None if scopes is None else frozenset(scopes),
        claims=dict(claims or {}),
        authenticated_at=authenticated_at,
        amr=frozenset(amr),
    )
