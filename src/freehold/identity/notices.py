"""What identity writes to people. Links are built from the configured public address, never from a request (A12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from freehold.identity.devices import program_and_system
from freehold.mail.templates import LETTERS as LAYOUT
from freehold.mail.templates import Templates

if TYPE_CHECKING:
    from freehold.store.session import Session

LETTERS = Path(__file__).parent / "letters"
"""The words of identity's mails: `identity.<what>.subject.txt`, `.txt` and `.html`."""


class Mailer(Protocol):
    """What identity asks of `freehold.mail`: a mail that leaves if and only if the session's transaction commits."""

    async def send(
        self,
        session: Session,
        /,
        *,
        to: str,
        subject: str,
        text: str,
        html: str | None = None,
        language: str | None = None,
    ) -> object:
        """Owe a mail."""
        ...


@dataclass(frozen=True, slots=True)
class Paths:
    """The pages of the service that mailed links lead to; `?token=` is added. They post it to the API."""

    verification: str = "/verify-email"
    reset: str = "/reset-password"
    invitation: str = "/join"
    log_in: str = "/log-in"


class Notices:
    """The mails of identity, in the transaction of their cause. templates: where the words come from.

    language: of the letter, where there is one in it: the user's, if their model has such a column.
    """

    def __init__(
        self, mailer: Mailer, *, service_name: str, public_url: str, paths: Paths, templates: Templates | None = None
    ) -> None:
        self._mailer = mailer
        self._templates = templates or Templates(LETTERS, LAYOUT)
        self._service = service_name
        self._url = public_url.rstrip("/")
        self._paths = paths

    async def verification(
        self, session: Session, to: str, token: str, lifetime: timedelta, *, language: str | None = None
    ) -> None:
        """The link that proves the address."""
        link = self._link(self._paths.verification, token)
        await self._send(session, "verification", to, language, link=link, minutes=_minutes(lifetime))

    async def reset(
        self, session: Session, to: str, token: str, lifetime: timedelta, *, language: str | None = None
    ) -> None:
        """The link that sets a new password."""
        link = self._link(self._paths.reset, token)
        await self._send(session, "reset", to, language, link=link, minutes=_minutes(lifetime))

    async def login_link(
        self,
        session: Session,
        to: str,
        token: str,
        lifetime: timedelta,
        *,
        following: str = "",
        language: str | None = None,
    ) -> None:
        """The link that logs in. following: the path to go on to."""
        link = self._link(self._paths.log_in, token) + (f"&{urlencode({'next': following})}" if following else "")
        await self._send(session, "login_link", to, language, link=link, minutes=_minutes(lifetime))

    async def login_by_link(
        self, session: Session, to: str, *, user_agent: str, is_first_proof: bool, language: str | None = None
    ) -> None:
        """Told after a log-in by such a link. is_first_proof: it took away every way in of before."""
        program, system = program_and_system(user_agent)
        await self._send(
            session, "login_by_link", to, language, program=program, system=system, is_first_proof=is_first_proof
        )

    async def password_changed(self, session: Session, to: str, *, language: str | None = None) -> None:
        """Told after a change or a reset."""
        await self._send(session, "password_changed", to, language)

    async def email_changed(self, session: Session, to: str, *, language: str | None = None) -> None:
        """Told by the old address."""
        await self._send(session, "email_changed", to, language)

    async def session_ended(self, session: Session, to: str, *, language: str | None = None) -> None:
        """A refresh token was used twice: it may be stolen."""
        await self._send(session, "session_ended", to, language)

    async def invitation(
        self, session: Session, to: str, token: str, lifetime: timedelta, *, organisation: str
    ) -> None:
        """The link that makes its reader a member. Whoever invites chose the organisation's name: it is shown as text."""
        link = self._link(self._paths.invitation, token)
        await self._send(session, "invitation", to, None, link=link, days=lifetime.days, organisation=organisation)

    async def identity_linked(self, session: Session, to: str, provider: str, *, language: str | None = None) -> None:
        """Told when a further way to log in was added."""
        await self._send(session, "identity_linked", to, language, provider=provider)

    async def identity_unlinked(self, session: Session, to: str, provider: str, *, language: str | None = None) -> None:
        """Told when one was taken away."""
        await self._send(session, "identity_unlinked", to, language, provider=provider)

    async def factor_added(self, session: Session, to: str, *, language: str | None = None) -> None:
        """A second factor or a passkey was added."""
        await self._send(session, "factor_added", to, language)

    async def factor_removed(self, session: Session, to: str, *, language: str | None = None) -> None:
        """A second factor or a passkey was removed."""
        await self._send(session, "factor_removed", to, language)

    async def recovery_codes_renewed(self, session: Session, to: str, *, language: str | None = None) -> None:
        """There are new recovery codes, and the old ones are dead."""
        await self._send(session, "recovery_codes_renewed", to, language)

    async def recovery_code_used(self, session: Session, to: str, left: int, *, language: str | None = None) -> None:
        """Somebody logged in with one. left: how many are good still."""
        await self._send(session, "recovery_code_used", to, language, left=left)

    async def impersonated(
        self, session: Session, to: str, *, reason: str, lifetime: timedelta, language: str | None = None
    ) -> None:
        """A member of staff acts in the account."""
        await self._send(session, "impersonated", to, language, reason=reason, minutes=_minutes(lifetime))

    async def already_registered(self, session: Session, to: str, *, language: str | None = None) -> None:
        """Somebody registered an address that has an account, where that fact is concealed from them."""
        await self._send(session, "already_registered", to, language)

    def _link(self, path: str, token: str) -> str:
        return f"{self._url}{path}?token={token}"

    async def _send(self, session: Session, what: str, to: str, language: str | None, **context: Any) -> None:
        rendered = self._templates.render(f"identity.{what}", language=language, service=self._service, **context)
        await self._mailer.send(session, to=to, **rendered.parts)


def language_of(user: Any) -> str | None:
    """The language that a person reads: the column `language` of the service's user model, where it has one."""
    found = getattr(user, "language", None)
    return found if isinstance(found, str) else None


def _minutes(lifetime: timedelta) -> int:
    return int(lifetime.total_seconds() // 60)
