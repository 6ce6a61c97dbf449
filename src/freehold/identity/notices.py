"""What identity writes to people. Links are built from the configured public address, never from a request (A12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from freehold.store.session import Session


class Mailer(Protocol):
    """What identity asks of `freehold.mail`: a mail that leaves if and only if the session's transaction commits."""

    async def send(self, session: Session, /, *, to: str, subject: str, text: str, html: str | None = None) -> object:
        """Owe a mail."""
        ...


@dataclass(frozen=True, slots=True)
class Paths:
    """The pages of the service that mailed links lead to; `?token=` is added. They post it to the API."""

    verification: str = "/verify-email"
    reset: str = "/reset-password"


class Notices:
    """The mails of identity, in the transaction of their cause."""

    def __init__(self, mailer: Mailer, *, service_name: str, public_url: str, paths: Paths) -> None:
        self._mailer = mailer
        self._service = service_name
        self._url = public_url.rstrip("/")
        self._paths = paths

    async def verification(self, session: Session, to: str, token: str, lifetime: timedelta) -> None:
        """The link that proves the address."""
        link = self._link(self._paths.verification, token)
        await self._send(
            session, to, "Confirm your e-mail address", f"Open this link to confirm it:\n\n{link}", lifetime
        )

    async def reset(self, session: Session, to: str, token: str, lifetime: timedelta) -> None:
        """The link that sets a new password."""
        link = self._link(self._paths.reset, token)
        await self._send(
            session, to, "Set a new password", f"Open this link to set a new password:\n\n{link}", lifetime
        )

    async def password_changed(self, session: Session, to: str) -> None:
        """Told after a change or a reset."""
        await self._send(
            session, to, "Your password was changed", "Your password was changed. All other log-ins have ended."
        )

    async def email_changed(self, session: Session, to: str) -> None:
        """Told by the old address."""
        await self._send(session, to, "Your e-mail address was changed", "Your account has another e-mail address now.")

    async def session_ended(self, session: Session, to: str) -> None:
        """A refresh token was used twice: it may be stolen."""
        await self._send(
            session,
            to,
            "A log-in was ended for your safety",
            "A log-in to your account was ended because its key was used twice, as it is when somebody has copied it. "
            "Log in again; if that log-in was not yours, change your password.",
        )

    async def already_registered(self, session: Session, to: str) -> None:
        """Somebody registered an address that has an account, where that fact is concealed from them."""
        await self._send(
            session,
            to,
            "You already have an account",
            "Somebody, perhaps you, tried to register this address again. You can log in, or ask for a new password.",
        )

    def _link(self, path: str, token: str) -> str:
        return f"{self._url}{path}?token={token}"

    async def _send(
        self, session: Session, to: str, subject: str, body: str, lifetime: timedelta | None = None
    ) -> None:
        until = "" if lifetime is None else f"\n\nIt works once, within {int(lifetime.total_seconds() // 60)} minutes."
        foot = "\n\nIf you do not know what this is about, " + ("ignore it." if lifetime else "contact us.")
        subject = f"{self._service}: {subject}" if self._service else subject
        await self._mailer.send(session, to=to, subject=subject, text=body + until + foot + "\n")
