"""What is written is read by another library as it was meant, and is the same bytes for the same events."""

from __future__ import annotations

from datetime import UTC, date, datetime

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.calendar import Calendar, Event, Range, read_calendar, write_calendar

STAMP = datetime(2026, 1, 1, 12, tzinfo=UTC)
NIGHTS = Range(date(2026, 3, 1), date(2026, 3, 4))
WINDOW = Range(date(2026, 1, 1), date(2027, 1, 1))


def event(**changes: object) -> Event:
    return Event(**({"uid": "1@imba.example", "during": NIGHTS, "summary": "Reserved", "stamp": STAMP} | changes))


def unfolded(data: bytes) -> list[str]:
    return data.replace(b"\r\n ", b"").decode().split("\r\n")


def test_an_all_day_event_ends_on_the_day_that_is_free_again() -> None:
    lines = unfolded(write_calendar([event(sequence=3)]))
    for line in (
        "DTSTART;VALUE=DATE:20260301",
        "DTEND;VALUE=DATE:20260304",
        "UID:1@imba.example",
        "DTSTAMP:20260101T120000Z",
        "SEQUENCE:3",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
    ):
        assert line in lines
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]


def test_instants_are_written_in_utc_or_in_a_zone_that_the_file_defines() -> None:
    during = Range(datetime(2026, 7, 1, 8, tzinfo=UTC), datetime(2026, 7, 1, 9, tzinfo=UTC))
    assert "DTSTART:20260701T080000Z" in unfolded(write_calendar([event(during=during)]))
    lines = unfolded(write_calendar([event(during=during, zone="Europe/Berlin")]))
    assert "DTSTART;TZID=Europe/Berlin:20260701T100000" in lines
    assert "TZID:Europe/Berlin" in lines


def test_a_cancelled_event_stays_with_its_uid() -> None:
    assert "STATUS:CANCELLED" in unfolded(write_calendar([event(status="CANCELLED", sequence=1)]))


def test_lines_are_folded_at_75_octets_and_words_cannot_add_a_line() -> None:
    data = write_calendar([event(summary="Grüße, \\ ; 你好 " * 30 + "\nEND:VEVENT\r\nX-EVIL:1\x00")], name="A\r\nB:1")
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert not any(line.startswith(("X-EVIL", "B:1")) for line in unfolded(data))
    (read,) = icalendar.Calendar.from_ical(data).walk("VEVENT")
    assert "X-EVIL:1" in str(read["summary"])


def test_the_same_events_are_the_same_bytes_in_any_order() -> None:
    events = [event(uid=str(number)) for number in range(5)]
    assert write_calendar(events) == write_calendar(reversed(events)) == Calendar(events).content()


def test_an_event_without_a_stamp_is_refused() -> None:
    with pytest.raises(ValueError, match="stamp"):
        write_calendar([event(stamp=None)])


@pytest.mark.slow
@given(
    st.text(max_size=80),
    st.dates(date(2026, 1, 2), date(2026, 11, 1)),
    st.integers(1, 30),
    st.sampled_from(["CONFIRMED", "TENTATIVE", "CANCELLED"]),
)
def test_what_is_written_is_read_back(summary: str, start: date, days: int, status: str) -> None:
    made = event(summary=summary, during=Range(start, date.fromordinal(start.toordinal() + days)), status=status)
    (read,) = read_calendar(write_calendar([made]), window=WINDOW).events
    assert (read.uid, read.during, read.status) == (made.uid, made.during, made.status)
