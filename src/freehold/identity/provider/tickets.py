"""What an interaction carries from page to page: sealed, so that nothing is written down before somebody has agreed.

A ticket says which request is being answered. It is nobody's: whoever opens the page with it is asked for themselves.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from freehold.base64url import base64url
from freehold.identity.provider.faults import PageIncomplete, PageOver
from freehold.identity.sealing import Sealer, Unsealable
from freehold.resource import clock

LIFETIME = timedelta(minutes=30)
LONGEST = 6_000


class Tickets:
    """Seals requests for the length of an interaction."""

    def __init__(self, secret: bytes) -> None:
        self._sealer = Sealer(secret, purpose="oauth tickets")

    def seal(self, kind: str, content: Mapping[str, Any]) -> str:
        """A ticket, safe in an address. kind: what it is for; it opens for nothing else."""
        plain = json.dumps([clock.now().timestamp(), dict(content)], separators=(",", ":")).encode()
        return base64url(self._sealer.seal(plain, context=kind.encode()))

    def open(self, kind: str, ticket: str) -> dict[str, Any]:
        """What was sealed. Raises PageOver for one that is too old, PageIncomplete for one of another kind, or none."""
        try:
            raw = base64.urlsafe_b64decode(ticket[:LONGEST] + "=" * (-len(ticket) % 4))
            made_at, content = json.loads(self._sealer.open(raw, context=kind.encode()))
        except (Unsealable, binascii.Error, ValueError) as error:
            raise PageIncomplete from error
        if clock.now().timestamp() - made_at > LIFETIME.total_seconds():
            raise PageOver
        found: dict[str, Any] = content
        return found
