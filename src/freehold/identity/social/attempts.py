"""Log-ins under way: begun in one browser, finished in the same one, once, within ten minutes (L01). None commits."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import delete, insert, update

from freehold.identity.sealing import Sealer, new_token, token_hash
from freehold.identity.social.provider import Question
from freehold.identity.social.tables import LOGIN_ATTEMPTS
from freehold.resource import clock
from freehold.resource.base import new_id

if TYPE_CHECKING:
    from freehold.store.session import Session

LIFETIME: Final = timedelta(minutes=10)
GRANTED_FOR: Final = timedelta(minutes=1)
"""Between the callback and the page that asks for its tokens."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an attempt is for. user_id, session_id: of the log-in that wants an identity linked; None for a log-in.

    registration: further fields of an account, should there be none yet.
    """

    return_to: str
    user_id: UUID | None = None
    session_id: UUID | None = None
    registration: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One whose callback has come."""

    id: UUID
    provider: str
    wish: Wish
    question: Question


def asked(redirect_uri: str) -> Question:
    """A question of which nothing was asked before."""
    return Question(new_token("fhs_"), new_token(""), new_token(""), redirect_uri)


async def begin(db: Session, provider: str, question: Question, wish: Wish) -> str:
    """Write it down; the value of the browser's cookie."""
    browser, attempt_id = new_token("fhb_"), new_id()
    secret = json.dumps({"nonce": question.nonce, "verifier": question.verifier}).encode()
    await db.execute(
        insert(LOGIN_ATTEMPTS).values(
            id=attempt_id,
            state_hash=token_hash(question.state),
            browser_hash=token_hash(browser),
            provider=provider,
            sealed=_sealer(question.state).seal(secret, context=attempt_id.bytes),
            expires_at=clock.now() + LIFETIME,
            **asdict(wish),
        )
    )
    return browser


async def take(db: Session, provider: str, *, state: str, browser: str, redirect_uri: str) -> Attempt | None:
    """The attempt of a callback, which no other callback gets; None where there is none of this browser.

    A state that came from another browser is used up too: it has been seen.
    """
    columns = LOGIN_ATTEMPTS.c
    row = (
        await db.execute(
            update(LOGIN_ATTEMPTS)
            .where(columns.state_hash == token_hash(state), columns.expires_at > clock.now())
            .values(state_hash=None)
            .returning(LOGIN_ATTEMPTS)
        )
    ).first()
    if row is None or row.browser_hash != token_hash(browser) or row.provider != provider:
        return None
    secret = json.loads(_sealer(state).open(row.sealed, context=row.id.bytes))
    wish = Wish(row.return_to, row.user_id, row.session_id, row.registration)
    return Attempt(row.id, row.provider, wish, Question(state, redirect_uri=redirect_uri, **secret))


async def grant(db: Session, attempt_id: UUID, user_id: UUID) -> None:
    """Let the attempt's browser in as this user, once, within a minute."""
    granted = update(LOGIN_ATTEMPTS).where(LOGIN_ATTEMPTS.c.id == attempt_id)
    await db.execute(granted.values(granted_user_id=user_id, expires_at=clock.now() + GRANTED_FOR))


async def redeem(db: Session, browser: str) -> tuple[str, UUID] | None:
    """The provider and the user of what was granted to a browser; of many who try at once, one succeeds."""
    columns = LOGIN_ATTEMPTS.c
    row = (
        await db.execute(
            delete(LOGIN_ATTEMPTS)
            .where(
                columns.browser_hash == token_hash(browser),
                columns.granted_user_id.is_not(None),
                columns.expires_at > clock.now(),
            )
            .returning(columns.provider, columns.granted_user_id)
        )
    ).first()
    return None if row is None else (row.provider, row.granted_user_id)


async def forget(db: Session, user_id: UUID) -> None:
    """No attempt lets anybody in to this account any more, or links to it."""
    columns = LOGIN_ATTEMPTS.c
    theirs = (columns.user_id == user_id) | (columns.granted_user_id == user_id)
    await db.execute(delete(LOGIN_ATTEMPTS).where(theirs))


async def sweep(db: Session) -> None:
    """Remove those whose time is over."""
    await db.execute(delete(LOGIN_ATTEMPTS).where(LOGIN_ATTEMPTS.c.expires_at < clock.now()))


def _sealer(state: str) -> Sealer:
    return Sealer(state.encode("utf-8", "surrogatepass"), purpose="login attempt")
