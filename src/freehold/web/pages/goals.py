"""Where somebody goes who has logged in."""

from __future__ import annotations

from freehold.identity.pages import Pages
from freehold.identity.service import Identity
from freehold.web.pages.places import own_path


def goal_of(identity: Identity, wanted: str) -> str:
    """Where they were on their way to, if that is here; else the service's own front."""
    return own_path(wanted, otherwise=(identity.pages or Pages()).home)
