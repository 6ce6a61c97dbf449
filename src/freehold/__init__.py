"""Freehold: the production layer for FastAPI. Declare a resource; get the API a senior team would have built by hand."""

from freehold.collector import paused

with paused():
    from freehold.errors import (
        Conflict,
        Forbidden,
        Invalid,
        NotFound,
    )
    from freehold.identity import Identity, UserMixin
    from freehold.jobs import job, schedule
    from freehold.resource.access import (
        Access,
        anyone,
        member,
        nobody,
        owner,
        permission,
        recent,
        role,
        scope,
        signed_in,
        where,
        with_factor,
    )
    from freehold.resource.base import Base
    from freehold.resource.declaration import Filter, Queries, Resource, Schemas
    from freehold.resource.invariants import at_most, never_below, no_overlap, unique_while
    from freehold.resource.principal import Principal, system
    from freehold.resource.roles import Roles
    from freehold.store.audit import record as audit
    from freehold.store.session import Session
    from freehold.web.app import Freehold
    from freehold.web.install import install
    from freehold.web.unit import Caller, Db, Router, allow

__all__ = [
    "Access",
    "Base",
    "Caller",
    "Conflict",
    "Db",
    "Filter",
    "Forbidden",
    "Freehold",
    "Identity",
    "Invalid",
    "NotFound",
    "Principal",
    "Queries",
    "Resource",
    "Roles",
    "Router",
    "Schemas",
    "Session",
    "UserMixin",
    "allow",
    "anyone",
    "at_most",
    "audit",
    "install",
    "job",
    "member",
    "never_below",
    "no_overlap",
    "nobody",
    "owner",
    "permission",
    "recent",
    "role",
    "schedule",
    "scope",
    "signed_in",
    "system",
    "unique_while",
    "where",
    "with_factor",
]
