"""Whose an e-mail address is, and that no two accounts take one (A11)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import null, select
from sqlalchemy.exc import IntegrityError

from freehold.errors import Conflict
from freehold.identity.users import UserMixin

if TYPE_CHECKING:
    from freehold.store.session import Session


class EmailTaken(Conflict):
    """There is an account with this e-mail address already."""

    code, title = "identity.email_taken", "This e-mail address has an account"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has an address. language: that they read, where their account says so."""

    id: UUID
    language: str | None


class Addresses:
    """The addresses of one service's accounts. key: of an address (`email_key`)."""

    def __init__(self, *, user: type[UserMixin]) -> None:
        self._table: Any = user.__table__  # type: ignore[attr-defined]

    async def owner_of(self, db: Session, key: str) -> Owner | None:
        """Whose account has it; None for nobody's."""
        user = self._table.c
        query = select(user.id, user.get("language", null())).where(user.email_key == key)
        found = (await db.execute(query)).one_or_none()
        return None if found is None else Owner(*found)

    async def require_free(self, db: Session, key: str, user_id: UUID | None) -> None:
        """Raise EmailTaken where it is another's than the user's."""
        owner = await self.owner_of(db, key)
        if owner is not None and owner.id != user_id:
            raise EmailTaken("This e-mail address has an account already.")

    @asynccontextmanager
    async def taking(self, db: Session, key: str, user_id: UUID | None) -> AsyncIterator[None]:
        """A savepoint for what takes an address: EmailTaken for the later of two at one moment."""
        try:
            async with db.begin_nested():
                yield
        except IntegrityError:
            await self.require_free(db, key, user_id)
            raise
