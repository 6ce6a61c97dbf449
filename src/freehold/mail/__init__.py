"""Mail as something owed: written down with its cause, delivered afterwards by a job, at least once.

Here belong messages, templates and ways of delivery. Who is written to, and when, belongs to the feature.
"""

from freehold.mail.files import FileMail
from freehold.mail.mailer import Mailer, MailTransport, send_mail
from freehold.mail.message import Mail
from freehold.mail.templates import Rendered, Templates

__all__ = ["FileMail", "Mail", "MailTransport", "Mailer", "Rendered", "Templates", "send_mail"]
