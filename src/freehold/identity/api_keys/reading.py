"""From a key to the principal behind it, with the rights of this moment.

Each use looks at the database: a revoked key, or a right that its maker lost, is gone everywhere at once (K02).
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.exc import DBAPIError

from freehold.errors import Problem, Unauthenticated
from freehold.identity.api_keys.tables import API_KEYS
from freehold.identity.api_keys.text import finder_of
from freehold.identity.rights import Rights
from freehold.identity.sealing import token_hash
from freehold.identity.users import UserMixin
from freehold.resource import clock
from freehold.resource.principal import Principal, system

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.unit import Unit

# K01: the last use is known within a minute, at one write a minute and key.
NOTED_EVERY = timedelta(minutes=1)
_NO_HASH = bytes(32)


class ApiKeyReader:
    """Finds who is behind a key. Roles that ask for a second factor do not count: a key shows none."""

    def __init__(self, database: Database, *, user: type[UserMixin], rights: Rights) -> None:
        self._database = database
        self._user: Any = user
        self._rights = rights

    async def authenticate(self, key: str, *, address: str) -> Principal:
        """The principal. Raises Unauthenticated, with one body for everything that can be wrong."""
        finder = finder_of(key)
        if finder is None:
            raise _refused()
        row = await self._row(finder)
        # Compared also where there is no row: a finder that exists takes no other time than one that does not.
        is_same = hmac.compare_digest(token_hash(key), _NO_HASH if row is None else row.key_hash)
        if row is None or not is_same or not _is_good(row) or not _is_from(address, row.address_ranges):
            raise _refused()
        if row.last_used_at is None or clock.now() - row.last_used_at >= NOTED_EVERY:
            await self._note(row.id)
        return self._principal(row)

    def _principal(self, row: Row[Any]) -> Principal:
        """A personal key acts as its owner; one of the service as itself, never beyond its maker's roles of today."""
        roles, withheld = self._rights.counting(frozenset(row.person_roles or ()), ())
        if row.owner_id is None:
            of_key = self._rights.all(row.roles)
            roles, withheld = of_key if row.maker_id is None else of_key & roles, frozenset()
        return Principal(
            id=row.owner_id,
            roles=roles,
            withheld=withheld,
            scopes=frozenset(row.scopes.split()),
            key_id=row.id,
        )

    async def _row(self, finder: str) -> Row[Any] | None:
        user, table = self._user.__table__.c, self._user.__table__
        person = user.id == API_KEYS.c.maker_id  # of a personal key the maker is the owner
        query = (
            select(API_KEYS, user.roles.label("person_roles"), user.is_active.label("is_person_active"))
            .outerjoin(table, person)
            .where(API_KEYS.c.prefix == finder)
        )
        async with self._database.reading(system("authenticate")) as session:
            return (await session.execute(query)).first()

    async def _note(self, key_id: UUID) -> None:
        async def work(unit: Unit) -> None:
            await unit.session.execute(update(API_KEYS).where(API_KEYS.c.id == key_id).values(last_used_at=clock.now()))

        # A disk that is full, or a writer that takes long, is no reason to refuse a read.
        with suppress(DBAPIError, Problem):
            await self._database.run(system("note the use of an API key"), work)


def _is_good(row: Row[Any]) -> bool:
    """Neither revoked nor over, and its maker still there."""
    has_person = row.maker_id is None or bool(row.is_person_active)
    return row.revoked_at is None and row.expires_at > clock.now() and has_person


def _is_from(address: str, ranges: list[str]) -> bool:
    if not ranges:
        return True
    try:
        caller = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(caller, "ipv4_mapped", None)
    return any((mapped or caller) in ip_network(each) for each in ranges)


def _refused() -> Unauthenticated:
    return Unauthenticated("The API key is not good.", code="auth.invalid_api_key")
