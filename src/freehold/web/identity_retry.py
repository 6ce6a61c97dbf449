"""Idempotency keys for operations that open their unit themselves, late: around a hash, never during it.

The look comes first, so that a retry costs no hash and no try; the record is written in the unit of the effect, where a
second look settles a race. What is kept may hold tokens: it is sealed (`store.idempotency`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext

from starlette.responses import Response

from freehold.resource.principal import system
from freehold.store import idempotency
from freehold.store.idempotency import Claim
from freehold.store.session import Session
from freehold.store.unit import Unit
from freehold.web.answer import Frozen
from freehold.web.runtime import Runtime

Rejudge = Callable[[Session, Response], Awaitable[None]]
"""Looks at a kept answer before it is given again, and raises when it may not be (I08)."""


class Replayed(Exception):
    """Carries the first answer out of a unit that came second, so that it rolls back."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Retry:
    """One request's use of a key, or of none."""

    def __init__(self, parts: Runtime, claim: Claim | None, *, rejudge: Rejudge | None = None) -> None:
        self._database = parts.database
        self._claim = claim
        self._rejudge = rejudge

    async def around(self, work: Callable[[], Awaitable[Response]]) -> Response:
        """The kept answer, else the work's, with the key held. Raises KeyInFlight, KeyReused."""
        claim = self._claim
        with nullcontext() if claim is None else self._database.holding(claim):
            if claim is not None:
                async with self._database.reading(system("look for a kept answer")) as session:
                    found = await self._find(session, claim)
                if found is not None:
                    return found
            try:
                return await work()
            except Replayed as replayed:
                return replayed.response

    async def settle(self, unit: Unit, response: Response) -> Response:
        """Keep the answer with the effect, at the end of the unit; gives it back."""
        if self._claim is not None:
            found = await self._find(unit.session, self._claim)
            if found is not None:
                raise Replayed(found)
            await unit.session.flush()
            await idempotency.keep(unit.session, self._claim, Frozen.of(response).dump(), subject_id=None)
        return response

    async def _find(self, session: Session, claim: Claim) -> Response | None:
        stored = await idempotency.find(session, claim)
        if stored is None:
            return None
        replay = Frozen.load(stored.answer).replay()
        if self._rejudge is not None:
            await self._rejudge(session, replay)
        return replay
