"""Saved searches, as their owners reach them; and the page that stops their mails."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

from starlette.responses import HTMLResponse

from freehold import Db, Queries, Resource, Router, Schemas, allow, anyone, at_most

from ..access import KEPT, OWN
from . import crud, stopping
from .models import SavedSearch
from .schemas import SearchChange, SearchDraft, SearchRead

MOST_SEARCHES = 50

saved_searches = Resource(
    SavedSearch,
    schemas=Schemas(read=SearchRead, create=SearchDraft, update=SearchChange),
    create=crud.save,
    update=crud.change,
    delete=crud.remove,
    access=replace(KEPT, update=OWN),
    queries=Queries(filters=["alerts"], sort=["-created_at"]),
    invariants=[
        at_most(MOST_SEARCHES, per="user_id", code="imba.too_many_searches", name="imba_saved_searches"),
    ],
    owner="user_id",
    untracked=["name", "query", "alerts_since", "checked_at"],
)

_STYLE = "body { font: 1.05rem/1.55 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto; padding: 0 1rem }"
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Imba: alerts</title><style>{style}</style></head>
<body><main><h1>Imba</h1>{said}</main></body>
</html>
"""
_ASK = '<p>No more mails about this search?</p><form method="post"><button type="submit">Stop them</button></form>'
_DONE = "<p>You get no more mails about this search. It is kept, and can be switched on again.</p>"

# A look alone changes nothing: programs that fetch what a mail links to would stop the mails of everybody.
router = Router(prefix=stopping.PATH, include_in_schema=False)


@router.get("/{token}", dependencies=[allow(anyone)])
async def ask_to_stop(token: str) -> HTMLResponse:
    """A page with a button."""
    return _page(_ASK)


@router.post("/{token}", dependencies=[allow(anyone)])
async def stop(db: Db, token: str) -> HTMLResponse:
    """End the mails that the token was in."""
    await crud.stop(db, token)
    return _page(_DONE)


def _page(said: str) -> HTMLResponse:
    headers = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
    return HTMLResponse(_PAGE.format(style=_STYLE, said=said), headers=headers)
