"""A half-open range of days or of instants: the end is the first day, or instant, that is free again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Range:
    """`[start, end)`: two days, or two instants with a time zone. Raises ValueError for an empty or mixed one."""

    start: date
    end: date

    def __post_init__(self) -> None:
        """Refuse what is no range."""
        if isinstance(self.start, datetime) != isinstance(self.end, datetime):
            raise ValueError("a range is of two days or of two instants, not of one each")
        for edge in (self.start, self.end):
            if isinstance(edge, datetime) and edge.utcoffset() is None:
                raise ValueError("an instant needs a time zone: datetime(..., tzinfo=UTC)")
        if self.start >= self.end:
            raise ValueError(f"a range ends after it starts; {self.start} to {self.end} holds nothing")

    @property
    def is_days(self) -> bool:
        """Whether it is of whole days; otherwise it is of instants."""
        return not isinstance(self.start, datetime)

    @property
    def days(self) -> int:
        """How many days, or nights, it has. Of instants: whole spans of 24 hours."""
        return (self.end - self.start).days

    @property
    def length(self) -> timedelta:
        """From start to end; of instants, the time that really passes."""
        return self.end - self.start

    def overlaps(self, other: Range) -> bool:
        """Whether they share a day or an instant. Two that only touch do not: one leaves, the other arrives."""
        self._alike(other)
        return self.start < other.end and other.start < self.end

    def touches(self, other: Range) -> bool:
        """Whether one ends where the other starts."""
        self._alike(other)
        return self.end == other.start or other.end == self.start

    def contains(self, point: date) -> bool:
        """Whether the day, or the instant, is inside. The end is not."""
        if isinstance(point, datetime) == self.is_days:
            raise TypeError("ask a range of days for a day, and one of instants for an instant")
        return self.start <= point < self.end

    def covers(self, other: Range) -> bool:
        """Whether the whole of the other is inside."""
        self._alike(other)
        return self.start <= other.start and other.end <= self.end

    def intersection(self, other: Range) -> Range | None:
        """What they share; None where they share nothing."""
        if not self.overlaps(other):
            return None
        return Range(max(self.start, other.start), min(self.end, other.end))

    def _alike(self, other: Range) -> None:
        if self.is_days != other.is_days:
            raise TypeError("a range of days and one of instants compare only in a time zone: turn one into the other")
