"""Mail by SMTP: handed to one mail server, which takes it from there."""

from __future__ import annotations

import re
import ssl
from email.message import EmailMessage
from typing import TYPE_CHECKING

from freehold.errors import ConfigurationError
from freehold.jobs import GiveUp
from freehold.settings.smtp import SmtpServer

if TYPE_CHECKING:
    import aiosmtplib

_STATUS = re.compile(r"[45]\.\d{1,3}\.\d{1,3}")


class MailRefused(GiveUp):
    """The server refused this letter for good (5xx): its address is not there, or it is not wanted."""


class SmtpMail:
    """Hands letters to the server of a URL (`SmtpServer.parse`), a connection each. Needs the extra `mail`.

    tls: whose certificates are believed; the system's by default (`SSL_CERT_FILE` adds to them). timeout_seconds: for
    each step of the conversation. Raises ValueError for a URL that cannot be, ConfigurationError without the extra.
    """

    def __init__(self, url: str, *, tls: ssl.SSLContext | None = None, timeout_seconds: float = 20.0) -> None:
        try:
            import aiosmtplib  # noqa: PLC0415, F401  # an extra: only those who send by SMTP have it
        except ModuleNotFoundError:
            raise ConfigurationError("FREEHOLD_SMTP_URL needs the mail extra: pip install 'freehold[mail]'") from None
        self.server = SmtpServer.parse(url)
        self._tls = tls
        self._timeout = timeout_seconds

    async def deliver(self, message: EmailMessage) -> None:
        """Hand the message over; the server has it when this returns.

        Raises MailRefused for a letter that is refused for good, and else what went wrong: the server is away, is busy
        (4xx), or does not let us in, which is not the letter's fault.
        """
        import aiosmtplib  # noqa: PLC0415  # see above

        sender, to = (message[name].addresses[0].addr_spec for name in ("From", "To"))
        options = [] if (sender + to).isascii() else ["SMTPUTF8", "BODY=8BITMIME"]
        async with self._connection() as server:
            try:
                if options:
                    await server.ehlo()
                    if not server.supports_extension("smtputf8"):
                        raise MailRefused("the mail server takes no addresses beyond ASCII (SMTPUTF8)")
                await server.sendmail(sender, [to], message.as_bytes(), mail_options=options)
            except aiosmtplib.SMTPRecipientsRefused as error:
                raise _judged(error.recipients[0]) from error
            except aiosmtplib.SMTPResponseException as error:
                raise _judged(error) from error

    def _connection(self) -> aiosmtplib.SMTP:
        from aiosmtplib import SMTP  # noqa: PLC0415  # see above

        given = self.server
        return SMTP(
            hostname=given.host,
            port=given.port,
            username=given.user,
            password=given.password,
            use_tls=given.tls == "implicit",
            start_tls=given.tls == "starttls",
            tls_context=self._tls,
            timeout=self._timeout,
        )


def _judged(error: aiosmtplib.SMTPResponseException) -> Exception:
    """Without the server's words, which name the address: they would stand in the list of dead letters."""
    status = _STATUS.match(error.message)
    said = f"{error.code} {status[0]}" if status else str(error.code)
    if 500 <= error.code < 600:
        return MailRefused(f"the mail server refused the letter for good: {said}")
    return ConnectionError(f"the mail server could not take the letter now: {said}")
