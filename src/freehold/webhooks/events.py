"""`Event`: something that happens to rows of a resource, and that others may be told of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import exists, inspect, select
from sqlalchemy.orm import DeclarativeBase

from freehold.errors import ConfigurationError
from freehold.store import outbox
from freehold.webhooks.sight import Sight
from freehold.webhooks.tables import SUBSCRIPTIONS

if TYPE_CHECKING:
    from freehold.store.session import Session

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
TEST = "webhook.test"
"""The event that an endpoint is sent to try it out."""


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """Declare an event: `confirmed = Event("reservation.confirmed", Reservation, "The landlord has accepted.")`.

    name: `noun.verb_in_the_past`. model: of the resource whose rows it is about; what is sent is the row as the
    resource shows it. Raises ConfigurationError for another form of name.
    """

    name: str
    model: type[DeclarativeBase]
    description: str = ""

    def __post_init__(self) -> None:
        """Check the name."""
        if not _NAME.fullmatch(self.name) or self.name == TEST:
            raise ConfigurationError(f"Event({self.name!r}): name it as in 'reservation.confirmed', in lower case")

    async def emit(self, db: Session, row: Any) -> UUID | None:
        """Owe the event to whoever has subscribed to it, if and only if the unit commits; its id.

        Flushes, and keeps the row as it is now. None where nobody has subscribed: nothing is written then. Who is sent
        it is judged when it is sent: those who may read the row, and of its fields those that they may.
        Raises LookupError in an application that declares no webhooks.
        """
        sight = db.part(Sight)
        async with db.unscoped("an event keeps the row whole; each receiver is shown its part") as system_db:
            if not await system_db.scalar(select(exists().where(SUBSCRIPTIONS.c.type == self.name))):
                return None
            key = inspect(row).mapper.primary_key_from_instance(row)[0]
            payload = {"subject_id": str(key), "data": await sight.whole(system_db, self.model, key)}
            return await outbox.emit(system_db, self.name, key=f"{self.model.__tablename__}:{key}", payload=payload)
