"""The provider's part of identity, under `/oauth` and `/.well-known`; its own API stands in `oauth_clients`."""

from __future__ import annotations

from freehold.identity.service import Identity
from freehold.web.oauth_authorize import authorize_router
from freehold.web.oauth_clients import clients_router, consents_router
from freehold.web.oauth_device import device_router
from freehold.web.oauth_log_in import log_in_router
from freehold.web.oauth_log_out import log_out_router
from freehold.web.oauth_token import token_router
from freehold.web.oauth_userinfo import userinfo_router
from freehold.web.unit import Router, gathered

_PARTS = (
    token_router,
    userinfo_router,
    authorize_router,
    log_in_router,
    log_out_router,
    device_router,
    clients_router,
    consents_router,
)


def oauth_router(identity: Identity) -> Router:
    """Every operation of the provider of an identity that has one."""
    return gathered(part(identity) for part in _PARTS)
