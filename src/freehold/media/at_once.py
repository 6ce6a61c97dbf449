"""How many files one owner may be sending at the same time: each holds a connection, a file aside and a share of the disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from freehold.errors import TooManyRequests


class UploadsAtOnce(TooManyRequests):
    """The caller is sending as many files already as one may at the same time."""

    code, title = "media.uploads_at_once", "Too many uploads at once"


class AtOnce:
    """Counts what is being received, in this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: Counter[UUID] = Counter()

    @contextmanager
    def one(self, owner_id: UUID) -> Iterator[None]:
        """While this owner's file comes in. Raises UploadsAtOnce before anything of it is read."""
        if self._running[owner_id] >= self._most:
            detail = f"{self._most} are coming in. Send the next one when one of them is done."
            raise UploadsAtOnce(detail, retry_after=1, headers={"Connection": "close"})
        self._running[owner_id] += 1
        try:
            yield
        finally:
            self._running[owner_id] -= 1
            if not self._running[owner_id]:
                del self._running[owner_id]
