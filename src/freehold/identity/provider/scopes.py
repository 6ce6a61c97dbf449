"""Scopes that every provider has, and which claims about a person they show (OpenID Connect Core 5.4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

OFFLINE = "offline_access"
STANDARD = ("openid", "profile", "email", OFFLINE)
"""Those of OpenID Connect; pages say what they mean (`web.pages.messages`)."""
CLAIMS: Mapping[str, Collection[str]] = {
    "openid": ("sub",),
    "profile": ("name", "updated_at"),
    "email": ("email", "email_verified"),
}


def claims_of(user: Any, scope: Collection[str]) -> dict[str, Any]:
    """What the scopes show of a user, and no more (O06)."""
    known: dict[str, Any] = {
        "sub": str(user.id),
        "name": user.full_name,
        "updated_at": int(user.updated_at.timestamp()) if getattr(user, "updated_at", None) else None,
        "email": user.email,
        "email_verified": user.email_verified_at is not None,
    }
    shown = {"sub"}.union(*(CLAIMS.get(name, ()) for name in scope))
    return {name: value for name, value in known.items() if name in shown and value is not None}
