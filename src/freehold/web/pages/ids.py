"""Ids that come in forms."""

from __future__ import annotations

from uuid import UUID

from freehold.errors import NotFound


def id_of(text: str) -> UUID:
    """The id. Raises NotFound for what is none: it names nothing that is there."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
