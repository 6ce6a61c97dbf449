"""`Dispatcher`: what sending needs of the application that it runs in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from freehold.identity.sealing import Sealer
from freehold.jobs import Principals
from freehold.store.database import Database
from freehold.webhooks.events import Event
from freehold.webhooks.sight import Sight
from freehold.webhooks.tables import Disabled

if TYPE_CHECKING:
    from freehold.store.session import Session

SEALED_FOR = "webhook secrets"


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """An endpoint that has just been switched off, and why: its owner is to be told."""

    endpoint_id: UUID
    owner_id: UUID
    url: str
    because: Disabled


Tell: TypeAlias = Callable[["Session", SwitchedOff], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """A part of the application's database. Its parts say what `Webhooks` and the settings say.

    events: by name. principals: an owner as they stand now. tell: owes the owner a word, in system scope.
    """

    database: Database
    events: Mapping[str, Event]
    sight: Sight
    sealer: Sealer
    principals: Principals
    tell: Tell
    at_most: int
    overlap: timedelta
    gives_up_after: timedelta
    kept_for: timedelta

    def seal(self, secret: str, endpoint_id: UUID) -> bytes:
        """For the row of this endpoint alone."""
        return self.sealer.seal(secret.encode(), context=endpoint_id.bytes)

    def opened(self, sealed: bytes, endpoint_id: UUID) -> str:
        """The secret. Raises Unsealable."""
        return self.sealer.open(sealed, context=endpoint_id.bytes).decode()
