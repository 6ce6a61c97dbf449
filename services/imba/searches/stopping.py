"""The address in each alert that ends them, without a log-in: the search's id under a seal of the service's secret."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

from freehold import NotFound, Session
from freehold.settings import Settings

PATH = "/alerts/stop"


def address(db: Session, search_id: UUID) -> str:
    """Where the mails about a search are stopped."""
    return f"{db.part(Settings).public_url.rstrip('/')}{PATH}/{search_id}.{_seal(db, search_id)}"


def opened(db: Session, token: str) -> UUID:
    """The search that a token names. Raises NotFound for one that was never given."""
    name, _, seal = token.partition(".")
    try:
        search_id = UUID(name)
    except ValueError:
        raise NotFound from None
    if not hmac.compare_digest(seal.encode(), _seal(db, search_id).encode()):
        raise NotFound
    return search_id


def _seal(db: Session, search_id: UUID) -> str:
    secret = db.part(Settings).secret_value.encode()
    digest = hmac.new(secret, b"imba.alerts.stop:" + search_id.bytes, sha256).digest()
    return urlsafe_b64encode(digest[:18]).decode()
