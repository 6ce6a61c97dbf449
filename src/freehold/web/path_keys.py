"""Keys in paths of one's own."""

from __future__ import annotations

from uuid import UUID

from freehold.errors import NotFound


def key_in_path(text: str) -> UUID:
    """The key of a row in a path. Raises NotFound for one that is not of its form: it names nothing, and is no bad input."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
