"""Mail, where it meets an application: the mailer of its settings, leaving by a link, the preview of development."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from starlette.responses import HTMLResponse
from starlette.routing import Route

from freehold.errors import ConfigurationError
from freehold.identity import LETTERS as IDENTITY_LETTERS
from freehold.mail import LETTERS, FileMail, Leaving, Mailer, MailTransport, SmtpMail, Templates
from freehold.resource.access import anyone
from freehold.settings import Environment, Settings
from freehold.web.mail_preview import routes_of
from freehold.web.unit import Db, Router, allow

_log = structlog.get_logger("freehold.mail")


def mailer_of(
    settings: Settings, *, service: str, transport: MailTransport | None = None, letters: Sequence[Path] = ()
) -> Mailer:
    """The mailer that the settings describe. letters: folders of templates that come before Freehold's own.

    Raises ConfigurationError with the name of the setting.
    """
    if transport is None:
        transport = SmtpMail(settings.smtp_url) if settings.smtp_url else FileMail(settings.var_dir / "mail")
    if settings.is_production and isinstance(transport, FileMail):
        _log.warning("mail_is_written_to_files", remedy="nobody gets a mail: set FREEHOLD_SMTP_URL")
    templates = Templates(*letters, IDENTITY_LETTERS, LETTERS, service=service, url=settings.public_url)
    try:
        return Mailer(transport, sender=settings.mail_from or _sender(service, settings), templates=templates)
    except ValueError as error:
        raise ConfigurationError(f"FREEHOLD_MAIL_FROM: {error}") from None


def _sender(service: str, settings: Settings) -> str:
    host = urlsplit(settings.public_url).hostname or "localhost"
    return f"{service} <no-reply@{host if '.' in host and not host[0].isdigit() else 'localhost.localdomain'}>"


def preview_routes(mailer: Mailer, settings: Settings) -> list[Route]:
    """`/dev/mail` where letters are files, in development alone: they hold links that log in."""
    if settings.env is not Environment.DEVELOPMENT or not isinstance(mailer.transport, FileMail):
        return []
    return routes_of(mailer.transport)


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title}</title>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""
_ASKED = '<p>{service} sends you mails of this kind: {kind}.</p><form method="post"><button>Stop them</button></form>'
_DONE = "<p>{service} sends you no more mails of this kind: {kind}.</p>"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


def leaving_router(leaving: Leaving, *, service: str) -> Router:
    """The addresses by which people leave mails: looked at, they ask; posted to, they do it (RFC 8058).

    A GET changes nothing: mail scanners open every link.
    """
    router = Router(include_in_schema=False)

    @router.get(Leaving.PATH + "/{token}", dependencies=[allow(anyone)])
    async def ask(token: str) -> HTMLResponse:
        _, kind = leaving.read(token)
        body = _ASKED.format(service=escape(service), kind=escape(kind))
        return HTMLResponse(_PAGE.format(title="Stop these mails?", body=body), headers=_HEADERS)

    @router.post(Leaving.PATH + "/{token}", dependencies=[allow(anyone)])
    async def leave(token: str, db: Db) -> HTMLResponse:
        person, kind = leaving.read(token)
        async with db.unscoped("a signed address in a mail says whose it is") as system_db:
            await leaving.leave(system_db, person, kind)
        body = _DONE.format(service=escape(service), kind=escape(kind))
        return HTMLResponse(_PAGE.format(title="Done", body=body), headers=_HEADERS)

    return router
