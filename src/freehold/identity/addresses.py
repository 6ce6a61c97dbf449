"""Whose an e-mail address is, and that no two accounts take one (A11)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from freehold.errors import Conflict
from freehold.identity.users import UserMixin

if TYPE_CHECKING:
    from freehold.store.session import Session


class EmailTaken(Conflict):
    """There is an account with this e-mail address already."""

    code, title = "identity.email_taken", "This e-mail address has an account"


class Addresses:
    """The addresses of one service's accounts. key: of an address (`email_key`)."""

    def __init__(self, *, user: type[UserMixin]) -> None:
        self._table: Any = user.__table__  # type: ignore[attr-defined]

    async def owner_of(self, db: Session, key: str) -> UUID | None:
        """Whose account has it; None for nobody's."""
        user = self._table.c
        found: UUID | None = (await db.execute(select(user.id).where(user.email_key == key))).scalar_one_or_none()
        return found

    async def require_free(self, db: Session, key: str, user_id: UUID | None) -> None:
        """Raise EmailTaken where it is another's than the user's."""
        if await self.owner_of(db, key) not in (None, user_id):
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
