"""The page at `/`: says what runs, and links to everything."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path

from starlette.responses import HTMLResponse, PlainTextResponse

from freehold import Db, Router, allow, anyone

from .demo_accounts import ACCOUNTS, PASSWORD, TENANT
from .users import crud as users

_README = Path(__file__).parent / "README.md"
_STYLE = """
:root { color-scheme: light dark }
body { font: 1.05rem/1.55 system-ui, sans-serif; max-width: 42rem; margin: 0 auto; padding: 1.5rem 1rem 3rem }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0 }
h2 { font-size: 1.15rem; margin-top: 2rem }
ul { padding-left: 1.2rem }
li { margin: .35rem 0 }
a { text-underline-offset: .15em }
code { font: .95em ui-monospace, monospace; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8884; vertical-align: top }
"""
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

router = Router(include_in_schema=False)


@router.get("/", dependencies=[allow(anyone)])
async def landing(db: Db) -> HTMLResponse:
    """What runs here, where its documents are, and the demo accounts where there are any."""
    page = _PAGE.format(style=_STYLE, demo=_demo() if await users.exists(db, TENANT.email) else "")
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})


@router.get("/walk-through", dependencies=[allow(anyone)])
async def walk_through() -> PlainTextResponse:
    """The README, whose commands run as written."""
    return PlainTextResponse(_README.read_text(encoding="utf-8"))


def _demo() -> str:
    rows = "".join(
        f"<tr><td><code>{escape(account.email)}</code></td><td>{escape(account.purpose)}</td></tr>"
        for account in ACCOUNTS
    )
    return (
        "<h2>Demo accounts</h2>"
        f"<p>Demo data is loaded. Every account has the password <code>{escape(PASSWORD)}</code>.</p>"
        f"<table><thead><tr><th>Account</th><th>For</th></tr></thead><tbody>{rows}</tbody></table>"
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Imba</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>Imba: real estate</h1>
<p>Landlords list properties, a reviewer verifies them, tenants hold and book stays. This is the API; it is up.</p>
<h2>Look around</h2>
<ul>
<li><a href="/app">The client</a>: search, reserve, answer requests; it uses this API and nothing else</li>
<li><a href="/v1/properties">Properties that are listed</a>, those
<a href="/v1/properties?q=seattle&amp;sort=price_amount">in Seattle by price</a>, those
<a href="/v1/properties?near=47.61,-122.33&amp;within_km=5">within 5 km of its market</a></li>
<li><a href="/docs">Documentation to try things in</a> (Swagger UI), <a href="/redoc">documentation to read</a>
(ReDoc), <a href="/openapi.json">the OpenAPI document</a></li>
<li><a href="/health/ready">Is it ready?</a> <a href="/health/live">Is it alive?</a> <a href="/metrics">Metrics</a></li>
<li><a href="/walk-through">A walk through it with curl</a>, from a landlord's first day to a tenant's stay</li>
</ul>
{demo}
</main>
</body>
</html>
"""
