"""What others send here: taken once, in the transaction of its effect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from freehold.errors import BadRequest
from freehold.store.upserts import insert_into
from freehold.webhooks.tables import RECEIVED

if TYPE_CHECKING:
    from freehold.store.session import Session


@dataclass(frozen=True, slots=True)
class Received:
    """A genuine message. id: as its sender gives it, the same at every try. headers: by lower-case names."""

    id: str
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        """The body. Raises BadRequest where it is no JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise BadRequest("The body is not JSON.") from None


Handle: TypeAlias = Callable[["Session", Received], Awaitable[None]]


async def take(db: Session, source: str, message: Received, handle: Handle) -> bool:
    """Let `handle` have the message, unless it had it before: the note of that commits with its effect.

    Of several at one moment one is handled; the others wait for its commit. False where nothing was done.
    """
    noted = (
        insert_into(db, RECEIVED).values(source=source, id=message.id).on_conflict_do_nothing().returning(RECEIVED.c.id)
    )
    if (await db.execute(noted)).one_or_none() is None:
        return False
    await handle(db, message)
    return True
