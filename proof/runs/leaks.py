"""One guest asks for everything that might be shown."""

from __future__ import annotations

from uuid import uuid4

from proof.figures import LEAKED, LEAKED_BY_ID, Count, Figures
from proof.runs.races import stay
from proof.service import Service

BOOKINGS = 40
ROOM = 2


async def run(service: Service) -> Figures:
    """Forty bookings of others: by the query that both services were made to have without its owner, and by their ids."""
    ids = []
    for night in range(BOOKINGS):
        made = await service.post("/v1/bookings", stay(ROOM, night, note="the key is under the mat"), guest=uuid4())
        ids.append(made.json()["id"])
    stranger = uuid4()
    shown = len(await service.get("/v1/notes?contains=mat", guest=stranger) or [])
    by_id = [await service.get(f"/v1/bookings/{each}", guest=stranger) for each in ids]
    return {
        LEAKED: Count(shown, BOOKINGS),
        LEAKED_BY_ID: Count(sum(each is not None for each in by_id), BOOKINGS),
    }
