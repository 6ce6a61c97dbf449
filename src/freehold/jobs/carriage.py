"""How a job carries its principal, and how that one is judged again when the job runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from freehold.errors import ConfigurationError
from freehold.resource.principal import ANONYMOUS, Principal
from freehold.resource.principal import system as as_system

Principals = Callable[[UUID], Awaitable[Principal | None]]
"""The principal with this id as it stands now; None when it is gone or closed."""


async def nobody_found(_: UUID) -> Principal | None:
    """Finds none: for jobs that act as the system only."""
    return None


@dataclass(frozen=True, slots=True)
class Lookup:
    """A part of an application (`Database.parts`): how it finds principals. find: None where it cannot."""

    find: Principals | None


def require_lookup(principal: Principal, lookup: Lookup | None, name: str) -> None:
    """Refuse a job of a caller whom nobody could find when it runs: it would be given up as "principal gone".

    Raises ConfigurationError.
    """
    if principal.id is not None and lookup is not None and lookup.find is None:
        raise ConfigurationError(
            f"The job {name!r} is to run as who enqueued it, and the authenticator has no `find(principal_id)` that says "
            f'who that is by then. Give it one, or let the job act as the system: @job({name!r}, system="why")'
        )


def pack(principal: Principal, *, system: str | None = None) -> dict[str, Any]:
    """The principal as JSON. system: the reason for which the job acts as the system whoever enqueued it."""
    return {
        "id": str(principal.id) if principal.id is not None else None,
        # For the eyes of an operator only: when the job runs the roles are those of that time.
        "roles": sorted(principal.roles),
        "scopes": None if principal.scopes is None else sorted(principal.scopes),
        "reason": system or principal.reason,
        "authenticated_at": None if principal.authenticated_at is None else principal.authenticated_at.isoformat(),
        "seen_at": principal.seen_at.isoformat(),
        "amr": sorted(principal.amr),
        "withheld": sorted(principal.withheld),
    }


async def judge(packed: Mapping[str, Any], principals: Principals) -> Principal | None:
    """The principal that a job runs as, now. None: it is gone.

    Roles are those of today, less those that were withheld; the scopes are never more than those that it was enqueued
    with. How recent the log-in was is what it was then: the person asked for the work at that moment.
    """
    if packed["reason"] is not None:
        return as_system(packed["reason"])
    if packed["id"] is None:
        return ANONYMOUS
    principal = await principals(UUID(packed["id"]))
    if principal is None:
        return None
    return _as_authenticated(_narrowed(principal, packed), packed)


def _narrowed(principal: Principal, packed: Mapping[str, Any]) -> Principal:
    if packed["scopes"] is None:
        return principal
    scopes = frozenset(packed["scopes"])
    return replace(principal, scopes=scopes if principal.scopes is None else scopes & principal.scopes)


def _as_authenticated(principal: Principal, packed: Mapping[str, Any]) -> Principal:
    if packed.get("authenticated_at") is None:  # nobody's log-in, or a job that was enqueued before this was noted
        return principal
    withheld = frozenset(packed["withheld"])
    return replace(
        principal,
        roles=principal.roles - withheld,
        withheld=withheld & principal.roles,
        authenticated_at=datetime.fromisoformat(packed["authenticated_at"]),
        seen_at=datetime.fromisoformat(packed["seen_at"]),
        amr=frozenset(packed["amr"]),
    )
