"""The state of log-ins, as the database has it, remembered for as long as a log-out may go unheard."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import bindparam, select

from freehold.identity.tables import SESSIONS
from freehold.identity.users import UserMixin
from freehold.resource.principal import MULTI_FACTOR, system
from freehold.store.executor import Plan

if TYPE_CHECKING:
    from freehold.store.database import Database

# A log-out or a lost role acts at once in the process that did it, and within this time in the others (T11, T15: 5 s).
REMEMBERED_SECONDS = 2.0
MOST_REMEMBERED = 10_000
_SESSION = "session_id"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a log-in may do, as read from the database at `read_at` (monotonic)."""

    user_id: UUID
    roles: frozenset[str]
    ends_at: datetime
    has_factor: bool
    is_good: bool
    read_at: float


class Standings:
    """The log-ins of an application. One is remembered for two seconds."""

    def __init__(self, database: Database, *, user: type[UserMixin]) -> None:
        self._database = database
        self._plan = _plan(user)
        self._known: OrderedDict[UUID, Standing] = OrderedDict()
        self._forgotten = 0

    async def find(self, session_id: UUID, *, claims_factor: bool = False) -> Standing | None:
        """The standing of a log-in; None when there is none such. A failing database fails the request, as it must.

        claims_factor: a token of it was earned by a second factor, perhaps after what is remembered here was read.
        """
        known = self.known(session_id, claims_factor=claims_factor)
        if known is not None:
            return known
        forgotten = self._forgotten
        found = await self._read(session_id)
        # A read that began before something was forgotten may be older than what it was forgotten for.
        if found is not None and forgotten == self._forgotten:
            self._known[session_id] = found
            self._known.move_to_end(session_id)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        return found

    def known(self, session_id: UUID, *, claims_factor: bool) -> Standing | None:
        """The same, of what is remembered; None where it has to be read."""
        known = self._known.get(session_id)
        if known is None or (claims_factor and not known.has_factor):
            return None
        return known if time.monotonic() - known.read_at < REMEMBERED_SECONDS else None

    def forget(self, about: UUID) -> None:
        """Drop what is remembered of a log-in, or of all log-ins of a user."""
        self._forgotten += 1
        if self._known.pop(about, None) is None:
            for session_id in [key for key, standing in self._known.items() if standing.user_id == about]:
                del self._known[session_id]

    def forget_all(self) -> None:
        """Drop everything that is remembered."""
        self._forgotten += 1
        self._known.clear()

    async def _read(self, session_id: UUID) -> Standing | None:
        # The time before the look: what is committed during it may be missed, and must not be remembered longer.
        read_at = time.monotonic()
        # Never on a replica. Log-ins that are looked up at one moment share a statement, however many they are.
        async with self._database.asking(system("authenticate")) as asking:
            rows = await asking.fetch(self._plan, {_SESSION: session_id})
        if not rows:
            return None
        row = rows[0]
        return Standing(
            row.user_id,
            frozenset(row.roles or ()),
            row.expires_at,
            has_factor=MULTI_FACTOR in (row.amr or "").split(),
            is_good=row.is_active and row.ended_at is None,
            read_at=read_at,
        )


def _plan(model: Any) -> Plan:
    table = model.__table__
    user = table.c
    query = (
        select(SESSIONS.c.user_id, SESSIONS.c.ended_at, SESSIONS.c.expires_at, SESSIONS.c.amr)
        .add_columns(user.roles, user.is_active)
        .join(table, user.id == SESSIONS.c.user_id)
        .where(SESSIONS.c.id == bindparam(_SESSION, type_=SESSIONS.c.id.type))
    )
    return Plan(query, ("standing",), key=_SESSION)
