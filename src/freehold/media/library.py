"""`Library`: a declaration of media at work in one application. Domain functions get it by `session.part(Library)`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freehold.jobs import Job
from freehold.media.addresses import Signer
from freehold.media.at_once import AtOnce
from freehold.media.files import Files
from freehold.media.workshop import Workshop

if TYPE_CHECKING:
    from freehold.media.declaration import Media
    from freehold.media.uploads import Uploads
    from freehold.store.database import Database


# Long enough to follow a redirect: a player asks for each range at our address again.
_FETCHED_WITHIN = timedelta(seconds=60)


@dataclass(slots=True, eq=False, kw_only=True)
class Library:
    """The parts behind the files of one application. folder: on this machine, for what is being received."""

    media: Media
    database: Database
    files: Files
    workshop: Workshop
    signer: Signer
    folder: Path
    uploads: Uploads
    at_once: AtOnce
    render: Job[Any]
    erase: Job[Any]
    sweep: Job[Any]

    async def address_of(self, key: str) -> str | None:
        """Where the store itself gives an object to whoever has used our address; None where it is for us to send it."""
        if not self.media.direct:
            return None
        return await self.files.address_to_get(key, lifetime=_FETCHED_WITHIN)

    @property
    def jobs(self) -> tuple[Job[Any], ...]:
        """What the application's worker has to know."""
        return (self.render, self.erase, self.sweep)
