"""The token endpoint: a code, a refresh token, a device's code or the client itself, for tokens.

Each grant runs in one unit that commits also where the answer is a refusal: what a second use ends must stay ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from freehold.identity.authentication import Authentication
from freehold.identity.provider import codes, devices
from freehold.identity.provider.clients import CLIENT, CODE, DEVICE, REFRESH, Client
from freehold.identity.provider.families import Families, Given, Grant
from freehold.identity.provider.faults import (
    OAuthError,
    invalid_grant,
    invalid_request,
    unauthorized_client,
)
from freehold.identity.provider.id_tokens import IdTokens
from freehold.identity.provider.requests import scope_of
from freehold.identity.provider.scopes import claims_of
from freehold.identity.session_values import TokenAnswer
from freehold.identity.tables import SESSIONS
from freehold.resource.principal import system
from freehold.store.audit import record

if TYPE_CHECKING:
    from collections.abc import Collection

    from freehold.store.database import Database
    from freehold.store.session import Session
    from freehold.store.unit import Unit

Answer = dict[str, Any]


class Exchange:
    """Gives tokens to clients. scopes: those of the service."""

    def __init__(
        self, database: Database, families: Families, id_tokens: IdTokens, *, user: Any, scopes: Collection[str]
    ) -> None:
        self._database = database
        self._families = families
        self._id_tokens = id_tokens
        self._user = user
        self._scopes = scopes

    async def __call__(self, client: Client, form: Mapping[str, str], *, key_thumbprint: str | None) -> Answer:
        """The body of the answer (RFC 6749 5.1). key_thumbprint: of a key that the client has proved to hold.

        Raises OAuthError.
        """
        ways = {CODE: self._code, REFRESH: self._refresh, CLIENT: self._client, DEVICE: self._device}
        wanted = form.get("grant_type")
        if wanted is None:
            raise invalid_request("grant_type is missing.")
        if wanted not in ways:
            raise OAuthError("unsupported_grant_type", f"Known grants: {', '.join(ways)}.")
        if wanted not in client.grants:
            raise unauthorized_client("The client may not use this grant.")
        if client.requires_proof and key_thumbprint is None:
            raise OAuthError("invalid_dpop_proof", "This client's tokens are bound to a key: send a DPoP proof.")
        return await ways[wanted](client, form, key_thumbprint)

    async def _code(self, client: Client, form: Mapping[str, str], thumbprint: str | None) -> Answer:
        code, verifier = _given(form, "code"), _given(form, "code_verifier")

        async def work(unit: Unit) -> Answer | OAuthError:
            row = await codes.find(unit.session, code)
            if row is None or row.client_id != client.id:
                return invalid_grant()
            if row.session_id is not None:
                return await self._used_again(unit.session, row)
            address = form.get("redirect_uri")
            if not codes.fits(row, client_id=client.id, redirect_uri=address, verifier=verifier):
                return invalid_grant()
            if row.key_thumbprint not in (None, thumbprint):
                return invalid_grant()
            answer, given = await self._given(unit.session, client, row, thumbprint)
            if given is None:
                return invalid_grant()
            await codes.note_use(unit.session, code, given.session_id)
            return answer

        return await self._run(work)

    async def _used_again(self, session: Session, row: Any) -> OAuthError:
        """RFC 6749 4.1.2: a code that comes twice may be stolen. What it gave first ends."""
        if await self._families.end(session, row.session_id, by="reuse"):
            told = {"client_id": str(row.client_id)}
            await record(session, "code.reuse_detected", subject_type="user", subject_id=row.user_id, after=told)
        return invalid_grant()

    async def _device(self, client: Client, form: Mapping[str, str], thumbprint: str | None) -> Answer:
        device_code = _given(form, "device_code")

        async def work(unit: Unit) -> Answer | OAuthError:
            row = await devices.poll(unit.session, device_code, client.id)
            if isinstance(row, OAuthError):
                return row
            answer, given = await self._given(unit.session, client, row, thumbprint)
            return invalid_grant() if given is None else answer

        return await self._run(work)

    async def _given(
        self, session: Session, client: Client, row: Any, thumbprint: str | None
    ) -> tuple[Answer, Given | None]:
        """Tokens for what a person has allowed. None where the account is closed or has logged out since."""
        # Both under lock, the user first as everywhere: a log-out or suspension that commits meanwhile must win.
        user = await self._user_row(session, row.user_id)
        log_in = await self._open_log_in(session, row.login_id)
        if user is None or log_in is None:
            return {}, None
        authentication = Authentication.stored(row.authenticated_at, log_in.amr)
        scope = frozenset(row.scope.split())
        given = await self._families.give(
            session,
            Grant(
                client=client,
                user_id=user.id,
                scope=scope,
                authentication=authentication,
                login_id=row.login_id,
                key_thumbprint=thumbprint,
                can_refresh=REFRESH in client.grants,
            ),
        )
        answer = shown(given.tokens)
        if "openid" in scope:
            answer["id_token"] = await self._id_tokens.issue(
                client_id=client.id,
                user_id=user.id,
                login_id=row.login_id,
                authentication=authentication,
                nonce=getattr(row, "nonce", None),
                access_token=given.tokens.access_token,
                claims=claims_of(user, scope),
            )
        return answer, given

    async def _refresh(self, client: Client, form: Mapping[str, str], thumbprint: str | None) -> Answer:
        token = _given(form, "refresh_token")
        scope = scope_of(form["scope"], client, scopes=self._scopes) if "scope" in form else None
        return shown(await self._families.refresh_for(client, token, scope=scope, key_thumbprint=thumbprint))

    async def _client(self, client: Client, form: Mapping[str, str], thumbprint: str | None) -> Answer:
        """The client acts as its own account; it proves itself anew each time, and gets no refresh token."""
        scope = scope_of(form.get("scope") or " ".join(sorted(client.scopes)), client, scopes=self._scopes)

        async def work(unit: Unit) -> Answer | OAuthError:
            user = None if client.account_id is None else await self._user_row(unit.session, client.account_id)
            if user is None:
                return unauthorized_client("The account that this client acts as is closed.")
            grant = Grant(
                client=client,
                user_id=user.id,
                scope=scope,
                authentication=Authentication(frozenset({"client"})),
                key_thumbprint=thumbprint,
                can_refresh=False,
            )
            return shown((await self._families.give(unit.session, grant)).tokens)

        return await self._run(work)

    async def _run(self, work: Any) -> Answer:
        outcome: Answer | OAuthError = await self._database.run(system("give tokens to a client"), work)
        if isinstance(outcome, OAuthError):
            raise outcome
        return outcome

    async def _user_row(self, session: Session, user_id: UUID) -> Any | None:
        query = select(self._user).where(self._user.id == user_id, self._user.is_active)
        return (await session.execute(query.with_for_update())).scalar_one_or_none()

    async def _open_log_in(self, session: Session, login_id: UUID | None) -> Any | None:
        query = select(SESSIONS.c.amr).where(SESSIONS.c.id == login_id, SESSIONS.c.ended_at.is_(None))
        return (await session.execute(query.with_for_update())).first()


def shown(tokens: TokenAnswer) -> Answer:
    """The answer of the token endpoint."""
    answer: Answer = {
        "access_token": tokens.access_token,
        "token_type": tokens.token_type,
        "expires_in": tokens.expires_in,
        "scope": tokens.scope,
    }
    if tokens.refresh_token:
        answer["refresh_token"] = tokens.refresh_token
    return answer


def _given(form: Mapping[str, str], name: str) -> str:
    if name not in form:
        raise invalid_request(f"{name} is missing.")
    return form[name]
