"""Mail as something owed: written down with its cause, delivered afterwards by a job, at least once.

Here belong messages, templates and ways of delivery. Who is written to, and when, belongs to the feature.
"""

from freehold.mail.files import FileMail, Letter
from freehold.mail.leaving import Leave, Leaving, leave_address
from freehold.mail.mailer import Mailer, MailTransport, send_letter, send_mail
from freehold.mail.message import Mail, mailbox
from freehold.mail.smtp import MailRefused, SmtpMail
from freehold.mail.templates import LETTERS, Rendered, Templates

__all__ = [
    "LETTERS",
    "FileMail",
    "Leave",
    "Leaving",
    "Letter",
    "Mail",
    "MailRefused",
    "MailTransport",
    "Mailer",
    "Rendered",
    "SmtpMail",
    "Templates",
    "leave_address",
    "mailbox",
    "send_letter",
    "send_mail",
]
