"""How many files one owner may be sending at the same time: each holds a connection, a file aside and a share of the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

from freehold.errors import TooManyRequests
from freehold.traffic.places import Full, Places


class UploadsAtOnce(TooManyRequests):
    """The caller is sending as many files already as one may at the same time."""

    code, title = "media.uploads_at_once", "Too many uploads at once"


class AtOnce:
    """Counts what is being received, where `places` does."""

    def __init__(self, most: int, places: Places) -> None:
        self._most = most
        self._places = places

    @asynccontextmanager
    async def one(self, owner_id: UUID) -> AsyncIterator[None]:
        """While this owner's file comes in. Raises UploadsAtOnce before anything of it is read."""
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._places.held([(f"uploads:{owner_id}", self._most)]))
            except Full:
                detail = f"{self._most} are coming in. Send the next one when one of them is done."
                raise UploadsAtOnce(detail, retry_after=1, headers={"Connection": "close"}) from None
            yield
