"""What a client holds of a user: a log-in of the user's, by way of the client, with refresh tokens that rotate.

A grant is a row of `freehold_sessions` with one of `freehold_oauth_grants` beside it: it ends like any log-in, its
roles and its user are judged at every request, and a refresh token that comes back ends it (T06 to T10). Its tokens
begin otherwise than those of a first-party log-in, so that neither opens the other's doors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import Row, func, insert, select

from freehold.errors import Problem
from freehold.identity.authentication import Authentication
from freehold.identity.provider.faults import OAuthError, invalid_grant, invalid_scope
from freehold.identity.provider.tables import GRANTS
from freehold.identity.sealing import token_hash
from freehold.identity.session_values import InvalidGrant, Lifetimes, TokenAnswer
from freehold.identity.sessions import Sessions
from freehold.identity.tables import REFRESH_TOKENS, SESSIONS
from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.resource.principal import system

if TYPE_CHECKING:
    from freehold.identity.provider.clients import Client
    from freehold.store.session import Session
    from freehold.store.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a client is given. key_thumbprint: of the key that its tokens are bound to (RFC 9449); None for a bearer's.

    login_id: the log-in of the browser that allowed it; None where the client acts on its own.
    """

    client: Client
    user_id: UUID
    scope: frozenset[str]
    authentication: Authentication
    login_id: UUID | None = None
    key_thumbprint: str | None = None
    can_refresh: bool = True


@dataclass(frozen=True, slots=True)
class Given:
    """A grant that was written down, and its tokens. The refresh token is empty where there is none."""

    session_id: UUID
    tokens: TokenAnswer


class Families(Sessions):
    """The grants of one service."""

    prefix: ClassVar[str] = "fhp_"

    def __init__(self, sessions: Sessions, *, lifetimes: Lifetimes) -> None:
        """Work on the same parts as the first-party log-ins, with lifetimes of its own."""
        vars(self).update(vars(sessions))
        self._lifetimes = lifetimes

    async def give(self, session: Session, grant: Grant) -> Given:
        """Write down a grant and give its tokens."""
        session_id, now = new_id(), clock.now()
        end = now + (self._lifetimes.absolute if grant.can_refresh else self._tokens.lifetime)
        await session.execute(
            insert(SESSIONS).values(
                id=session_id,
                user_id=grant.user_id,
                scope=" ".join(sorted(grant.scope)),
                created_at=grant.authentication.at,
                authenticated_at=grant.authentication.at,
                amr=grant.authentication.text,
                last_used_at=now,
                expires_at=end,
                user_agent=grant.client.name,
            )
        )
        await session.execute(
            insert(GRANTS).values(
                session_id=session_id,
                client_id=grant.client.id,
                login_id=grant.login_id,
                key_thumbprint=grant.key_thumbprint,
            )
        )
        refresh = await self._add_token(session, session_id, end) if grant.can_refresh else ""
        row = await self._session_row(session, session_id)
        access, seconds = await self._access_token(session, row, grant.scope)
        kind = "Bearer" if grant.key_thumbprint is None else "DPoP"
        return Given(session_id, TokenAnswer(access, seconds, refresh, " ".join(sorted(grant.scope)), kind))

    async def refresh_for(
        self, client: Client, token: str, *, scope: frozenset[str] | None, key_thumbprint: str | None
    ) -> TokenAnswer:
        """Rotate, in a unit of its own. Another client's token is refused and stays what it is.

        key_thumbprint: of the key that the client has proved to hold. Raises OAuthError.
        """

        async def work(unit: Unit) -> TokenAnswer | Exception:
            grant = await self.grant_behind(unit.session, token)
            if grant is None or grant.client_id != client.id or grant.key_thumbprint not in (None, key_thumbprint):
                return InvalidGrant()
            answer = await self._refresh(unit, token, scope)
            if isinstance(answer, Problem) or grant.key_thumbprint is None:
                return answer
            return replace(answer, token_type="DPoP")  # noqa: S106 (its name, not its value)

        outcome = await self._database.run(system("refresh what a client holds"), work)
        if isinstance(outcome, TokenAnswer):
            return outcome
        raise _told(outcome)

    async def grant_behind(self, session: Session, token: str) -> Row[Any] | None:
        """The grant that a refresh token belongs to, with `user_id`, `scope`, `expires_at`, and whether it `is_alive`."""
        if not token.startswith(self.prefix):
            return None
        columns = REFRESH_TOKENS.c
        query = (
            select(
                GRANTS,
                SESSIONS.c.user_id,
                SESSIONS.c.scope,
                columns.created_at,
                columns.expires_at,
                (columns.used_at.is_(None) & SESSIONS.c.ended_at.is_(None)).label("is_alive"),
            )
            .join(SESSIONS, SESSIONS.c.id == GRANTS.c.session_id)
            .join(REFRESH_TOKENS, columns.session_id == GRANTS.c.session_id)
            .where(columns.token_hash == token_hash(token))
        )
        return (await session.execute(query)).first()

    async def grant_of(self, session: Session, session_id: UUID) -> Row[Any] | None:
        """The grant of an access token's `sid`."""
        return (await session.execute(select(GRANTS).where(GRANTS.c.session_id == session_id))).first()

    async def end_of_login(self, session: Session, login_id: UUID, *, keeps: str) -> list[Any]:
        """End what was given by way of a browser's log-in, save what carries the scope `keeps` (Back-Channel Logout 2.7).

        Rows of everything that was given by way of it: who is to be told.
        """
        query = (
            select(GRANTS.c.session_id, GRANTS.c.client_id, SESSIONS.c.user_id, SESSIONS.c.scope, SESSIONS.c.ended_at)
            .join(SESSIONS, SESSIONS.c.id == GRANTS.c.session_id)
            .where(GRANTS.c.login_id == login_id)
        )
        rows = list((await session.execute(query)).all())
        for row in rows:
            if row.ended_at is None and keeps not in (row.scope or "").split():
                await self.end(session, row.session_id, by="logout")
        return rows

    async def _session_row(self, session: Session, session_id: UUID) -> Any:
        columns = SESSIONS.c
        query = select(
            columns.id.label("session_id"),
            columns.user_id,
            func.coalesce(columns.authenticated_at, columns.created_at).label("proved_at"),
            columns.amr,
            columns.expires_at.label("session_end"),
        )
        return (await session.execute(query.where(columns.id == session_id))).one()

    async def _access_token(self, session: Session, row: Row[Any], scope: frozenset[str] | None) -> tuple[str, int]:
        """RFC 9068: with `client_id`; bound to a key by `cnf` (RFC 9449 6.1). Roles are not for other applications."""
        grant = await self.grant_of(session, row.session_id)
        if grant is None:
            raise LookupError("a session without a grant")
        now = int(clock.now().timestamp())
        end = min(now + int(self._tokens.lifetime.total_seconds()), int(row.session_end.timestamp()))
        claims: dict[str, Any] = {
            "iss": self._tokens.issuer,
            "aud": self._tokens.audience,
            "sub": str(row.user_id),
            "sid": str(row.session_id),
            "client_id": str(grant.client_id),
            "jti": str(new_id()),
            "iat": now,
            "nbf": now,
            "exp": end,
            **Authentication.stored(row.proved_at, row.amr).claims,
            "scope": " ".join(sorted(scope or ())),
        }
        if grant.key_thumbprint is not None:
            claims["cnf"] = {"jkt": grant.key_thumbprint}
        return await self._tokens.sign(claims), end - now


def _told(problem: Exception) -> OAuthError:
    """A problem of the first-party route in the words of OAuth."""
    if getattr(problem, "problem_code", "") == "auth.invalid_scope":
        return invalid_scope("A refresh cannot widen the scope.")
    return invalid_grant()
