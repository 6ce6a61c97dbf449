"""Pages for people: log-in, registration and everything about one's account, rendered here (`Identity(pages=Pages())`).

Belongs here: forms, words and looks. Never here: what a form does to an account, which is `freehold.identity`'s, nor
cookies and tokens against forgery, which are `freehold.web.browser`'s.
"""

from __future__ import annotations

from freehold.identity.pages import Pages
from freehold.identity.service import Identity
from freehold.web.pages.account import account_router
from freehold.web.pages.api_keys import api_keys_pages
from freehold.web.pages.assets import asset_routes
from freehold.web.pages.choosing import language_router
from freehold.web.pages.confirming import confirm_router
from freehold.web.pages.consents import consents_pages
from freehold.web.pages.data import data_pages
from freehold.web.pages.enrolment_step import enrolment_router
from freehold.web.pages.factor_step import factor_router
from freehold.web.pages.linked import linked_pages
from freehold.web.pages.links import links_router
from freehold.web.pages.log_in import log_in_router
from freehold.web.pages.magic_links import magic_links_pages
from freehold.web.pages.passkey_step import passkey_router
from freehold.web.pages.registering import registration_router
from freehold.web.pages.security import security_pages
from freehold.web.pages.sessions import sessions_pages
from freehold.web.unit import Router, gathered

_PARTS = (
    log_in_router,
    factor_router,
    passkey_router,
    enrolment_router,
    magic_links_pages,
    registration_router,
    links_router,
    language_router,
    confirm_router,
    account_router,
    security_pages,
    sessions_pages,
    api_keys_pages,
    linked_pages,
    consents_pages,
    data_pages,
)


def pages_router(identity: Identity) -> Router:
    """Every page of an identity, with its style sheet and script."""
    router = gathered(part(identity) for part in _PARTS)
    router.routes.extend(asset_routes((identity.pages or Pages()).color))
    return router


__all__ = ["pages_router"]
