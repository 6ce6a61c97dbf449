"""Who is there in the tests: accounts that are saved, and the principals that act for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from freehold import Principal
from freehold.testing import Stage


@dataclass(frozen=True)
class People:
    """Two who own things, one who owns nothing, and an administrator."""

    me: Principal
    them: Principal
    stranger: Principal
    admin: Principal


async def gather(stage: Stage) -> People:
    """Save an account for each. Nobody logs in: tests say who is there."""
    assert stage.app.identity is not None
    user: Any = stage.app.identity.user

    async def person(*roles: str) -> Principal:
        return Principal(id=(await stage.make(user, roles=list(roles))).id, roles=frozenset(roles))

    return People(me=await person(), them=await person(), stranger=await person(), admin=await person("admin"))
