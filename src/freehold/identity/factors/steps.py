"""Step tokens: what a log-in holds between its first proof and its second. They open the factor routes alone (M01)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import delete, insert, select

from freehold.identity.factors.tables import LOGIN_STEPS
from freehold.identity.sealing import new_token, token_hash
from freehold.identity.users import UserMixin
from freehold.resource import clock

if TYPE_CHECKING:
    from freehold.store.session import Session

PREFIX: Final = "fhm_"
LIFETIME: Final = timedelta(minutes=10)
_LONGEST: Final = 128


@dataclass(frozen=True, slots=True)
class Step:
    """A log-in on its way, or one that is to be made stronger (session_id).

    user: a row with `id`, `roles`, `email`, `full_name` and perhaps `language`, locked; None: a passkey will say who.
    """

    token_hash: bytes
    user: Any
    scope: frozenset[str] | None
    amr: frozenset[str]
    session_id: UUID | None


class Steps:
    """The log-ins of one service that are on their way."""

    def __init__(self, *, user: type[UserMixin]) -> None:
        self._table: Any = user.__table__  # type: ignore[attr-defined]

    async def begin(
        self,
        session: Session,
        user_id: UUID | None,
        *,
        amr: Collection[str],
        scope: frozenset[str] | None,
        session_id: UUID | None = None,
    ) -> str:
        """A new step token. user_id: None where a passkey will say who it is. session_id: the log-in to make stronger."""
        token, now = new_token(PREFIX), clock.now()
        await session.execute(
            insert(LOGIN_STEPS).values(
                token_hash=token_hash(token),
                user_id=user_id,
                session_id=session_id,
                scope=None if scope is None else " ".join(sorted(scope)),
                amr=" ".join(sorted(amr)),
                created_at=now,
                expires_at=now + LIFETIME,
            )
        )
        return token

    async def find(self, session: Session, token: str) -> Step | None:
        """The step of a token, with its account locked; None when it is over, or the account is closed."""
        if len(token) > _LONGEST or not token.startswith(PREFIX):
            return None
        columns = LOGIN_STEPS.c
        query = select(LOGIN_STEPS).where(columns.token_hash == token_hash(token), columns.expires_at > clock.now())
        row = (await session.execute(query.with_for_update())).first()
        if row is None:
            return None
        user = None if row.user_id is None else await self.user(session, row.user_id)
        if row.user_id is not None and user is None:
            return None
        scope = None if row.scope is None else frozenset(row.scope.split())
        return Step(row.token_hash, user, scope, frozenset(row.amr.split()), row.session_id)

    async def owner(self, session: Session, token: str) -> UUID | None:
        """Whose step it is, without a lock; None where nobody is known yet or it is over."""
        columns = LOGIN_STEPS.c
        mine = columns.token_hash == token_hash(token), columns.expires_at > clock.now()
        query = select(columns.user_id).where(*mine)
        found: UUID | None = await session.scalar(query)
        return found

    async def user(self, session: Session, user_id: UUID) -> Any:
        """The row of an open account, locked; None where it is closed."""
        table = self._table.c
        found = [table.id, table.roles, table.email, table.full_name]
        found += [column for column in table if column.key == "language"]
        query = select(*found).where(table.id == user_id, table.is_active)
        return (await session.execute(query.with_for_update(of=self._table))).first()

    async def end(self, session: Session, step: Step) -> None:
        """It has led to a log-in."""
        await session.execute(delete(LOGIN_STEPS).where(LOGIN_STEPS.c.token_hash == step.token_hash))


async def forget(session: Session, user_id: UUID) -> None:
    """Every log-in on its way of this account is over."""
    await session.execute(delete(LOGIN_STEPS).where(LOGIN_STEPS.c.user_id == user_id))


async def sweep(session: Session) -> None:
    """Remove those whose time is over."""
    await session.execute(delete(LOGIN_STEPS).where(LOGIN_STEPS.c.expires_at < clock.now()))
