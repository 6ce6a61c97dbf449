"""Who looks at a page of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from starlette.requests import Request

from freehold.identity.notices import language_of
from freehold.identity.service import Identity
from freehold.resource.principal import Principal, system
from freehold.web.guard import principal_of
from freehold.web.pages.languages import reads


@dataclass(frozen=True, slots=True)
class Person:
    """An account, as its own pages show it.

    language: None where its model keeps none, too. minimum: characters of a password of theirs.
    """

    id: UUID
    email: str
    full_name: str
    email_verified_at: datetime | None
    language: str | None
    keeps_language: bool
    minimum: int
    caller: Principal


async def person_of(request: Request, identity: Identity) -> Person:
    """The account that is logged in; its pages are in the language that it reads."""
    caller = await principal_of(request)
    parts = identity.parts
    async with parts.database.reading(system("a user's own pages")) as session:
        user: Any = await parts.accounts.get(session, known_id(caller))
        found = Person(
            id=user.id,
            email=user.email,
            full_name=user.full_name,
            email_verified_at=user.email_verified_at,
            language=language_of(user),
            keeps_language=hasattr(identity.user, "language"),
            minimum=minimum_of(identity, user),
            caller=caller,
        )
    reads(request, found.language)
    return found


def minimum_of(identity: Identity, user: Any) -> int:
    """Less where the account has to have a second factor (A02)."""
    policy, must_have = identity.parts.policy, identity.parts.factors.desk.must_have(user)
    return policy.minimum_with_factor if must_have else policy.minimum


def minimum_of_newcomers(identity: Identity) -> int:
    """As `minimum_of`, before there is an account: less where everyone has to have a second factor."""
    policy, of_everyone = identity.parts.policy, identity.parts.factors.requirement.of_everyone
    return policy.minimum_with_factor if of_everyone else policy.minimum


def known_id(caller: Principal) -> UUID:
    """The caller's id, where the rule has made sure that there is one."""
    return cast(UUID, caller.id)
