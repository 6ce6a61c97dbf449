"""Everything that identity holds about a person, without what could be used to log in."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect as mapping_of
from sqlalchemy import select

from freehold.identity.api_keys.tables import API_KEYS
from freehold.identity.factors import holdings
from freehold.identity.provider import consents
from freehold.identity.sessions import Sessions
from freehold.identity.social import linked
from freehold.resource.columns import derived_columns

if TYPE_CHECKING:
    from uuid import UUID

    from freehold.store.session import Session

_KEY = ("id", "prefix", "name", "address_ranges", "created_at", "expires_at", "last_used_at", "revoked_at")


async def held_of(db: Session, user: Any, sessions: Sessions) -> dict[str, Any]:
    """By name: the row, log-ins, linked identities, factors, API keys, consents."""
    user_id = user.id
    return {
        "user": _row_of(user),
        "sessions": [
            {name: getattr(each, name) for name in ("id", "created_at", "last_used_at", "address", "user_agent")}
            for each in await sessions.listed(db, user_id)
        ],
        "identities": [
            {name: getattr(each, name) for name in ("provider", "subject", "email")}
            for each in await linked.listed(db, user_id)
        ],
        "factors": [asdict(each) for each in await holdings.listed(db, user_id)],
        "api_keys": await _keys_of(db, user_id),
        "consents": [
            {"client_id": each.client_id, "client_name": each.name, "scopes": each.scope.split()}
            | {"given_at": each.given_at}
            for each in await consents.listed(db, user_id)
        ],
    }


def _row_of(user: Any) -> dict[str, Any]:
    mapper = mapping_of(type(user))
    hidden = {"password_hash", "email_key", *derived_columns(mapper.local_table)}
    return {column.key: getattr(user, column.key) for column in mapper.column_attrs if column.key not in hidden}


async def _keys_of(db: Session, user_id: UUID) -> list[dict[str, Any]]:
    """Also those that are over: the row is held."""
    query = select(API_KEYS).where(API_KEYS.c.owner_id == user_id).order_by(API_KEYS.c.created_at, API_KEYS.c.id)
    return [
        {**{name: getattr(row, name) for name in _KEY}, "scopes": row.scopes.split()}
        for row in (await db.execute(query)).all()
    ]
