"""Authorization codes: a minute long, once, for one client, address and verifier (O04)."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from freehold.base64url import base64url
from freehold.identity.provider.tables import CODES
from freehold.identity.sealing import new_token, token_hash
from freehold.resource import clock

if TYPE_CHECKING:
    from freehold.identity.provider.requests import AuthorizationRequest
    from freehold.store.session import Session

PREFIX = "fha_"
LIFETIME = timedelta(seconds=60)
# A code that was used is remembered for as long as what it gave could be worth ending.
KEPT_FOR = timedelta(days=1)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class Visit:
    """A person at a browser: who, by which log-in, and when they last proved who they are."""

    user_id: UUID
    login_id: UUID
    authenticated_at: datetime


async def issue(session: Session, request: AuthorizationRequest, visit: Visit) -> str:
    """A code for what the person allows."""
    code = new_token(PREFIX)
    await session.execute(
        insert(CODES).values(
            code_hash=token_hash(code),
            client_id=request.client_uuid,
            user_id=visit.user_id,
            login_id=visit.login_id,
            redirect_uri=request.redirect_uri,
            scope=" ".join(request.scope),
            nonce=request.nonce,
            challenge=request.challenge,
            key_thumbprint=request.key_thumbprint,
            authenticated_at=visit.authenticated_at,
            expires_at=clock.now() + LIFETIME,
        )
    )
    return code


async def find(session: Session, code: str) -> Any | None:
    """The row of a code, locked until the unit ends: of many who come at once, the first uses it."""
    query = select(CODES).where(CODES.c.code_hash == token_hash(code)).with_for_update()
    return (await session.execute(query)).one_or_none()


async def note_use(session: Session, code: str, session_id: UUID) -> None:
    """Write down what the code gave: it gives nothing more."""
    await session.execute(update(CODES).where(CODES.c.code_hash == token_hash(code)).values(session_id=session_id))


def fits(row: Any, *, client_id: UUID, redirect_uri: str | None, verifier: str) -> bool:
    """Whether the code is still good, for this client, this address and this verifier (RFC 7636 4.6)."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = base64url(hashlib.sha256(verifier.encode()).digest())
    return bool(
        row.client_id == client_id
        and row.redirect_uri == redirect_uri
        and clock.now() < row.expires_at
        and hmac.compare_digest(digest, row.challenge)
    )


async def sweep(session: Session) -> None:
    """Remove codes that mean nothing any more."""
    await session.execute(delete(CODES).where(CODES.c.expires_at < clock.now() - KEPT_FOR))
