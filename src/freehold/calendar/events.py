"""An event of a calendar, and a calendar as a document to serve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from freehold.calendar.ranges import Range
from freehold.resource.document import Document

Status = Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event. uid: the same for ever and in every place. stamp: when it last changed; needed to write it.

    sequence: grows with each change. zone: instants are written as local times of this IANA zone, else in UTC.
    busy: false where it takes no time (a reminder). Put no private text in summary: a calendar address is passed on.
    """

    uid: str
    during: Range
    summary: str = ""
    status: Status = "CONFIRMED"
    busy: bool = True
    sequence: int = 0
    stamp: datetime | None = None
    zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no calendar could hold."""
        if not self.uid or not self.uid.isprintable() or len(self.uid) > 500:
            raise ValueError("the uid of an event is 1 to 500 visible characters")
        if self.zone is not None:
            ZoneInfo(self.zone)

    @property
    def blocks(self) -> bool:
        """Whether it takes the time that it names."""
        return self.busy and self.status != "CANCELLED"

    @property
    def fingerprint(self) -> str:
        """The same as long as nothing changed that matters; other systems give each copy a new stamp."""
        parts = (self.uid, self.during.start.isoformat(), self.during.end.isoformat(), self.status, self.summary)
        return sha256("\0".join((*parts, str(self.busy))).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Calendar(Document):
    """Events as an iCalendar document (RFC 5545), for a view declared with `returns=Calendar`.

    name: shown by programs. product: who made it, as in `Imba`.
    """

    media_type: ClassVar[str] = "text/calendar; charset=utf-8"

    events: Iterable[Event]
    name: str = field(default="", kw_only=True)
    product: str = field(default="Freehold", kw_only=True)

    def content(self) -> bytes:
        """The document; the same bytes for the same events."""
        from freehold.calendar.writing import write_calendar  # noqa: PLC0415  # icalendar comes with an extra

        return write_calendar(self.events, name=self.name, product=self.product)
