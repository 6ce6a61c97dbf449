"""`Mailer`: a mail is a job in the caller's transaction, and a transport delivers it."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from freehold.jobs import Backoff, Job, job
from freehold.mail.message import Mail
from freehold.mail.templates import LETTERS, Templates
from freehold.resource import clock
from freehold.resource.base import new_id

if TYPE_CHECKING:
    from freehold.store.session import Session

# Twenty further tries over about two days: as long as mail servers themselves wait for one that is away.
_RETRIES = 20
_BACKOFF = Backoff(first=timedelta(seconds=10), factor=3.0, longest=timedelta(hours=3))


class MailTransport(Protocol):
    """A way of delivery."""

    async def deliver(self, message: EmailMessage) -> None:
        """Hand the message over, durably. Raises whatever went wrong: it is tried again, with the same Message-ID.

        Raises GiveUp for what no further try would mend.
        """
        ...


class Mailer:
    """Sends mails as one sender. Give `mailer.job` to the process's `Jobs`.

    sender: `Name <user@host>` or `user@host`. templates: the words of letters; Freehold's own when not given.
    Raises ValueError for a sender that cannot be.
    """

    def __init__(self, transport: MailTransport, *, sender: str, templates: Templates | None = None) -> None:
        self.transport = transport
        self.templates = templates or Templates(LETTERS)
        self._sender = sender
        Mail(id=new_id(), sender=sender, to="check@example.test", subject="", text="", sent_at=clock.now())
        # As the system: a mail that a committed unit owes is delivered even when its cause was that somebody left.
        self.job: Job[...] = job(
            "freehold.mail.send",
            retries=_RETRIES,
            backoff=_BACKOFF,
            outside=True,
            system="deliver a mail that a committed unit owes",
        )(self._deliver)

    async def send(
        self,
        session: Session,
        *,
        to: str,
        subject: str,
        text: str,
        html: str | None = None,
        language: str | None = None,
        leave: str | None = None,
    ) -> UUID:
        """Write the mail into the caller's transaction: it goes out if and only if that commits; its id.

        language, leave: see `Mail`. Raises ValueError for an address that cannot be, or a line break in the subject.
        """
        words: dict[str, Any] = {
            "to": to,
            "subject": subject,
            "text": text,
            "html": html,
            "language": language,
            "leave": leave,
        }
        mail = Mail(id=new_id(), sender=self._sender, sent_at=clock.now(), **words)
        await self.job.enqueue(session, mail_id=mail.id, sent_at=mail.sent_at, **words)
        return mail.id

    async def send_letter(
        self,
        session: Session,
        name: str,
        /,
        *,
        to: str,
        language: str | None = None,
        leave: str | None = None,
        **context: Any,
    ) -> UUID:
        """Send the letter `name` of the templates, filled in now: it says what is true at the commit; its id.

        Raises as `send` and `Templates.render` do.
        """
        rendered = self.templates.render(name, language=language, leave=leave, **context)
        return await self.send(session, to=to, leave=leave, **rendered.parts)

    async def _deliver(
        self,
        _db: Session,
        *,
        mail_id: UUID,
        to: str,
        subject: str,
        text: str,
        html: str | None,
        sent_at: datetime,
        language: str | None = None,
        leave: str | None = None,
    ) -> None:
        mail = Mail(
            id=mail_id,
            sender=self._sender,
            to=to,
            subject=subject,
            text=text,
            html=html,
            sent_at=sent_at,
            language=language,
            leave=leave,
        )
        await self.transport.deliver(mail.message())


async def send_mail(
    session: Session, *, to: str, subject: str, text: str, html: str | None = None, leave: str | None = None
) -> UUID:
    """Send a mail with what the session's unit commits, through the application's `Mailer`; its id.

    Raises LookupError outside an application, ValueError as `Mailer.send` does.
    """
    return await session.part(Mailer).send(session, to=to, subject=subject, text=text, html=html, leave=leave)


async def send_letter(
    session: Session, name: str, /, *, to: str, language: str | None = None, leave: str | None = None, **context: Any
) -> UUID:
    """The same with the letter `name` of the application's templates (`Mailer.send_letter`)."""
    mailer = session.part(Mailer)
    return await mailer.send_letter(session, name, to=to, language=language, leave=leave, **context)
