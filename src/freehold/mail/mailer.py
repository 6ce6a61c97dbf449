"""`Mailer`: a mail is a job in the caller's transaction, and a transport delivers it."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from freehold.jobs import Job, job
from freehold.mail.message import Mail
from freehold.resource import clock
from freehold.resource.base import new_id

if TYPE_CHECKING:
    from freehold.store.session import Session


class MailTransport(Protocol):
    """A way of delivery."""

    async def deliver(self, message: EmailMessage) -> None:
        """Hand the message over, durably. Raises whatever went wrong: it is tried again, with the same Message-ID."""
        ...


class Mailer:
    """Sends mails as one sender. Give `mailer.job` to the process's `Jobs`.

    sender: `Name <user@host>` or `user@host`. Raises ValueError for one that cannot be.
    """

    def __init__(self, transport: MailTransport, *, sender: str) -> None:
        self._transport = transport
        self._sender = sender
        Mail(id=new_id(), sender=sender, to="check@example.test", subject="", text="", sent_at=clock.now())
        # As the system: a mail that a committed unit owes is delivered even when its cause was that somebody left.
        self.job: Job[...] = job(
            "freehold.mail.send", retries=10, outside=True, system="deliver a mail that a committed unit owes"
        )(self._deliver)

    async def send(self, session: Session, *, to: str, subject: str, text: str, html: str | None = None) -> UUID:
        """Write the mail into the caller's transaction: it goes out if and only if that commits; its id.

        Raises ValueError for an address that cannot be, or a line break in the subject.
        """
        mail = Mail(id=new_id(), sender=self._sender, to=to, subject=subject, text=text, html=html, sent_at=clock.now())
        await self.job.enqueue(
            session, mail_id=mail.id, to=to, subject=subject, text=text, html=html, sent_at=mail.sent_at
        )
        return mail.id

    async def _deliver(
        self, _db: Session, *, mail_id: UUID, to: str, subject: str, text: str, html: str | None, sent_at: datetime
    ) -> None:
        mail = Mail(id=mail_id, sender=self._sender, to=to, subject=subject, text=text, html=html, sent_at=sent_at)
        await self._transport.deliver(mail.message())


async def send_mail(session: Session, *, to: str, subject: str, text: str, html: str | None = None) -> UUID:
    """Send a mail with what the session's unit commits, through the application's `Mailer`; its id.

    Raises LookupError outside an application, ValueError as `Mailer.send` does.
    """
    return await session.part(Mailer).send(session, to=to, subject=subject, text=text, html=html)
