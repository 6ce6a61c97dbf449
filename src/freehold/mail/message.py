"""A mail as a value that cannot be wrong, and its form on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

_LONGEST_SUBJECT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message to one address. id: the same at every try, and so is the Message-ID that a receiver may compare.

    Raises ValueError for an address that cannot be, and for a line break or control character in a header.
    """

    id: UUID
    sender: str
    to: str
    subject: str
    text: str
    html: str | None = None
    sent_at: datetime

    def __post_init__(self) -> None:
        """Refuse what could smuggle a header, before it is written down anywhere."""
        for name, value in (("sender", self.sender), ("to", self.to), ("subject", self.subject)):
            if not value.isprintable():
                raise ValueError(f"mail {name} holds a line break or control character")
        if len(self.subject) > _LONGEST_SUBJECT:
            raise ValueError(f"mail subject is over {_LONGEST_SUBJECT} characters")
        _address(self.to)
        _mailbox(self.sender)

    def message(self) -> EmailMessage:
        """The message by RFC 5322, with CRLF line ends; a plain text, and an HTML alternative where there is one."""
        sender = _mailbox(self.sender)
        to = _address(self.to)
        # A local part beyond ASCII has no other form than UTF-8 (RFC 6532); all else is written so that it needs none.
        message = EmailMessage(policy=policy.SMTP.clone(utf8=not (sender.addr_spec + to.addr_spec).isascii()))
        message["From"] = sender
        message["To"] = to
        message["Subject"] = self.subject
        message["Date"] = format_datetime(self.sent_at)
        message["Message-ID"] = f"<{self.id}@{sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
        message.set_content(self.text)
        if self.html is not None:
            message.add_alternative(self.html, subtype="html")
        return message


def _mailbox(value: str) -> Address:
    """`Name <user@host>` or `user@host`."""
    name, found, rest = value.rpartition("<")
    if not found:
        return _address(value)
    spec = _address(rest.removesuffix(">").strip())
    return Address(display_name=name.strip().strip('"'), username=spec.username, domain=spec.domain)


def _address(value: str) -> Address:
    try:
        # test_environment: `.test` is what development and tests write to; deliverability is the transport's matter.
        checked = validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"not a mail address: {error}") from None
    return Address(username=checked.local_part, domain=checked.ascii_domain)
