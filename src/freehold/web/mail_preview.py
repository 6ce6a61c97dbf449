"""`/dev/mail`: the letters that lie in the folder, as people would see them. Development alone has it.

A letter is shown in a frame that may run nothing and fetch nothing, whatever its template let in.
"""

from __future__ import annotations

from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from freehold.errors import NotFound
from freehold.mail import FileMail, Letter
from freehold.web.addresses import root_of

PATH = "/dev/mail"
_MOST = 200  # of the newest

_STYLE = """
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.2rem 1rem 3rem }
h1 { font-size: 1.4rem; line-height: 1.25; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .45rem .9rem .45rem 0; border-bottom: 1px solid #8884; overflow-wrap: anywhere }
th { font-weight: 600 }
iframe { width: 100%; height: 38rem; border: 1px solid #8886; border-radius: 8px; background: #fff }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #8886; border-radius: 8px; padding: 1rem; margin: 0 }
a { text-underline-offset: .15em }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .5rem }
"""
_NOBODY = "base-uri 'none'; form-action 'none'"
_PAGE_CSP = f"default-src 'none'; style-src 'self'; frame-src 'self'; frame-ancestors 'none'; {_NOBODY}"
# Inline styles are what letters are made of; `sandbox` takes scripts, forms and their origin away.
_LETTER_CSP = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox allow-popups; {_NOBODY}"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{root}/style.css">
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def routes_of(files: FileMail) -> list[Route]:
    """The list, a letter with its text and headers, its HTML alone, and the message as it was written."""

    async def letter(request: Request) -> Letter:
        try:
            return await run_in_threadpool(files.read, request.path_params["name"])
        except KeyError:
            raise NotFound from None

    async def listed(request: Request) -> Response:
        found = await run_in_threadpool(lambda: [files.read(name) for name in files.names()[:_MOST]])
        return _page("Mail", _list(found, _root(request)), _root(request))

    async def shown(request: Request) -> Response:
        found = await letter(request)
        return _page(found.subject, _letter(found, _root(request)), _root(request))

    async def html(request: Request) -> Response:
        words = (await letter(request)).html
        if words is None:
            raise NotFound
        return HTMLResponse(words, headers={"Content-Security-Policy": _LETTER_CSP, "Cache-Control": "no-store"})

    async def style(_: Request) -> Response:
        return Response(_STYLE, media_type="text/css")

    paths = {"": listed, "/style.css": style, "/{name}": shown, "/{name}/html": html}
    return [Route(PATH + path, endpoint, include_in_schema=False) for path, endpoint in paths.items()]


def _root(request: Request) -> str:
    return escape(root_of(request.scope) + PATH, quote=True)


def _page(title: str, body: str, root: str) -> Response:
    page = _PAGE.format(title=escape(title), root=root, body=body)
    return HTMLResponse(page, headers={"Content-Security-Policy": _PAGE_CSP, "Cache-Control": "no-store"})


def _list(letters: list[Letter], root: str) -> str:
    if not letters:
        return "<h1>Mail</h1><p>No letter has been sent yet.</p>"
    rows = "".join(
        f"<tr><td>{each.sent_at:%Y-%m-%d %H:%M:%S}</td><td>{escape(each.to)}</td>"
        f'<td><a href="{root}/{escape(each.name, quote=True)}">{escape(each.subject) or "(no subject)"}</a></td></tr>'
        for each in letters
    )
    head = '<tr><th scope="col">Sent</th><th scope="col">To</th><th scope="col">Subject</th></tr>'
    return f"<h1>Mail</h1><table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _letter(letter: Letter, root: str) -> str:
    headers = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in letter.headers
    )
    frame = (
        "<p>It has no HTML.</p>"
        if letter.html is None
        else f'<iframe sandbox="allow-popups" title="HTML" src="{root}/{escape(letter.name, quote=True)}/html"></iframe>'
    )
    return (
        f'<p><a href="{root}">All mail</a></p><h1>{escape(letter.subject)}</h1>'
        f"<h2>HTML</h2>{frame}<h2>Text</h2><pre>{escape(letter.text)}</pre>"
        f"<h2>Headers</h2><table><tbody>{headers}</tbody></table>"
    )
