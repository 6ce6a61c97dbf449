"""A mail as a value that cannot be wrong, and its form on the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

_LONGEST_SUBJECT = 500
_LONGEST_ADDRESS = 900  # it stands on one line, of 998 at most
_LANGUAGE = re.compile(r"[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8}){0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message to one address. id: the same at every try, and so is the Message-ID that a receiver may compare.

    leave: a web address that ends mails of this sort, in the header by which mail programs offer it (RFC 2369); where
    it is https, with one click (RFC 8058): it is posted to, without a log-in. language: of its words, as in `de-AT`.
    Raises ValueError for an address that cannot be, and for a line break or control character in a header.
    """

    id: UUID
    sender: str
    to: str
    subject: str
    text: str
    html: str | None = None
    sent_at: datetime
    language: str | None = None
    leave: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could smuggle a header, before it is written down anywhere."""
        for name, value in (("sender", self.sender), ("to", self.to), ("subject", self.subject)):
            if not value.isprintable():
                raise ValueError(f"mail {name} holds a line break or control character")
        if len(self.subject) > _LONGEST_SUBJECT:
            raise ValueError(f"mail subject is over {_LONGEST_SUBJECT} characters")
        if self.language is not None and not _LANGUAGE.fullmatch(self.language):
            raise ValueError("mail language is no language tag; write de or de-AT")
        if self.leave is not None:
            _check_leave(self.leave)
        _address(self.to)
        mailbox(self.sender)

    def message(self) -> EmailMessage:
        """The message by RFC 5322, with CRLF line ends; a plain text, and an HTML alternative where there is one."""
        sender = mailbox(self.sender)
        to = _address(self.to)
        # A local part beyond ASCII has no other form than UTF-8 (RFC 6532); all else is written so that it needs none.
        message = EmailMessage(policy=policy.SMTP.clone(utf8=not (sender.addr_spec + to.addr_spec).isascii()))
        message["From"] = sender
        message["To"] = to
        message["Subject"] = self.subject
        message["Date"] = format_datetime(self.sent_at)
        message["Message-ID"] = f"<{self.id}@{sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
        if self.leave is not None:
            message["List-Unsubscribe"] = f"<{self.leave}>"
            if self.leave.startswith("https://"):
                message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(self.text)
        if self.html is not None:
            message.add_alternative(self.html, subtype="html")
        if self.language is not None:
            message["Content-Language"] = self.language  # last: content takes such headers with it
        return message


def mailbox(value: str) -> Address:
    """`Name <user@host>` or `user@host`. Raises ValueError."""
    name, found, rest = value.rpartition("<")
    if not found:
        return _address(value)
    spec = _address(rest.removesuffix(">").strip())
    return Address(display_name=name.strip().strip('"'), username=spec.username, domain=spec.domain)


def _check_leave(value: str) -> None:
    parts = urlsplit(value)
    is_plain = value.isascii() and value.isprintable() and not set(value) & set('<>"\\ ')
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain or len(value) > _LONGEST_ADDRESS:
        raise ValueError("mail leave is no web address")


def _address(value: str) -> Address:
    try:
        # test_environment: `.test` is what development and tests write to; deliverability is the transport's matter.
        checked = validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"not a mail address: {error}") from None
    return Address(username=checked.local_part, domain=checked.ascii_domain)
