"""Calendars as other systems write them, and as somebody who means harm would."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from freehold.calendar import CalendarRefused, Event, KnownEvent, Range, plan_import, read_calendar
from freehold.calendar.recurrence import Rule, Work

WINDOW = Range(date(2026, 1, 1), date(2027, 1, 1))
DATE = "DTSTART;VALUE=DATE:20260301"


def calendar(*events: str, head: str = "", end: str = "\r\n") -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", *head.splitlines()]
    for one in events:
        lines += ["BEGIN:VEVENT", *one.splitlines(), "END:VEVENT"]
    return end.join([*lines, "END:VCALENDAR", ""]).encode()


def read(*events: str, zone: str = "UTC", head: str = "") -> tuple[Event, ...]:
    feed = read_calendar(calendar(*events, head=head), zone=zone, window=WINDOW)
    assert feed.problems == ()
    return feed.events


def starts(events: tuple[Event, ...]) -> list[str]:
    return [event.during.start.isoformat() for event in events]


class TestAsOthersWrite:
    def test_booking_sites_block_days(self) -> None:
        (event,) = read("UID:a@airbnb.com\nDTSTART;VALUE=DATE:20260301\nDTEND;VALUE=DATE:20260304\nSUMMARY:Reserved")
        assert event.during == Range(date(2026, 3, 1), date(2026, 3, 4))
        assert (event.uid, event.summary, event.blocks) == ("a@airbnb.com", "Reserved", True)

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_any_line_end_and_a_byte_order_mark(self, end: str) -> None:
        data = b"\xef\xbb\xbf" + calendar(f"UID:a\n{DATE}", end=end)
        assert len(read_calendar(data, window=WINDOW).events) == 1

    @pytest.mark.parametrize(
        ("more", "days"), [("", 1), ("DTEND;VALUE=DATE:20260301", 1), ("DURATION:P3D", 3), ("DURATION:P1W", 7)]
    )
    def test_the_length_of_days(self, more: str, days: int) -> None:
        assert read(f"UID:a\n{DATE}\n{more}")[0].during.days == days

    def test_a_date_without_the_word_that_it_is_one(self) -> None:
        assert read("UID:a\nDTSTART:20260301\nDTEND:20260302")[0].during.is_days

    @pytest.mark.parametrize(
        ("line", "instant"),
        [
            ("DTSTART:20260701T100000Z", "2026-07-01T10:00:00+00:00"),
            ("DTSTART:20260701T100000", "2026-07-01T08:00:00+00:00"),
            ("DTSTART;TZID=America/New_York:20260701T100000", "2026-07-01T14:00:00+00:00"),
            ('DTSTART;TZID="W. Europe Standard Time":20260701T100000', "2026-07-01T08:00:00+00:00"),
            ("DTSTART;TZID=/example.org/20250101/Europe/London:20260701T100000", "2026-07-01T09:00:00+00:00"),
        ],
    )
    def test_zones(self, line: str, instant: str) -> None:
        assert starts(read(f"UID:a\n{line}\nDURATION:PT30M", zone="Europe/Berlin")) == [instant]

    def test_a_zone_that_the_file_defines_under_a_name_of_its_own(self) -> None:
        head = """BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""
        found = read(
            "UID:s\nDTSTART;TZID=Customized Time Zone:20260701T100000\nDURATION:PT1H",
            "UID:w\nDTSTART;TZID=Customized Time Zone:20260201T100000\nDURATION:PT1H",
            head=head,
        )
        assert starts(found) == ["2026-02-01T09:00:00+00:00", "2026-07-01T08:00:00+00:00"]
        # The next feed does not know it.
        other = read_calendar(
            calendar("UID:s\nDTSTART;TZID=Customized Time Zone:20260701T100000\nDURATION:PT1H"), window=WINDOW
        )
        assert other.events == ()
        assert "time zone" in other.problems[0]

    def test_a_series_keeps_its_local_time_over_daylight_saving(self) -> None:
        found = read(
            "UID:a\nDTSTART;TZID=Europe/Berlin:20260322T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3",
        )
        assert [one[:13] for one in starts(found)] == ["2026-03-22T09", "2026-03-29T08", "2026-04-05T08"]
        assert found[1].uid == "a/20260329T100000"

    def test_a_series_without_some_and_with_one_moved_and_one_cancelled(self) -> None:
        found = read(
            f"UID:a\n{DATE}\nRRULE:FREQ=DAILY;COUNT=5\nEXDATE;VALUE=DATE:20260302\nRDATE;VALUE=DATE:20260401",
            "UID:a\nRECURRENCE-ID;VALUE=DATE:20260303\nDTSTART;VALUE=DATE:20260310\nSUMMARY:moved",
            "UID:a\nRECURRENCE-ID;VALUE=DATE:20260304\nDTSTART;VALUE=DATE:20260304\nSTATUS:CANCELLED",
        )
        blocking = tuple(event for event in found if event.blocks)
        assert starts(blocking) == ["2026-03-01", "2026-03-05", "2026-03-10", "2026-04-01"]
        assert blocking[2].uid == "a/20260303"

    def test_a_series_goes_on_to_the_end_of_the_window_and_a_long_past_start_is_fine(self) -> None:
        found = read("UID:a\nDTSTART;VALUE=DATE:20100104\nRRULE:FREQ=WEEKLY;BYDAY=MO")
        assert (found[0].uid, found[-1].uid, len(found)) == ("a/20260105", "a/20261228", 52)

    def test_cancelled_transparent_and_later_versions(self) -> None:
        found = read(
            f"UID:a\n{DATE}\nSEQUENCE:2\nSUMMARY:new",
            f"UID:a\n{DATE}\nSEQUENCE:1\nSUMMARY:old",
            f"UID:b\n{DATE}\nTRANSP:TRANSPARENT",
            f"UID:c\n{DATE}\nSTATUS:CANCELLED",
        )
        assert [(one.uid, one.summary, one.blocks) for one in found] == [
            ("a", "new", True),
            ("b", "", False),
            ("c", "", False),
        ]
        assert not read(f"UID:a\n{DATE}", head="METHOD:CANCEL")[0].blocks

    def test_words_are_unfolded_and_unescaped(self) -> None:
        data = calendar(f"UID:a\n{DATE}\nSUMMARY:Gr\u00fc\u00dfe\\, a\\; b\\nc \r\n d", end="\r\n")
        assert read_calendar(data, window=WINDOW).events[0].summary == "Grüße, a; b c d"

    def test_without_a_uid_it_has_one_that_stays(self) -> None:
        first, second = read(f"{DATE}\nSUMMARY:x"), read(f"{DATE}\nSUMMARY:x")
        assert first[0].uid == second[0].uid
        assert first[0].uid.startswith("no-uid-")

    @pytest.mark.parametrize(
        ("event", "reason"),
        [
            ("SUMMARY:x", "no start"),
            ("DTSTART:20260301T100000Z", "no length"),
            (f"{DATE}\nDTEND;VALUE=DATE:20260201", "ends before"),
            ("DTSTART:rubbish", "cannot be read"),
            ("DTSTART;TZID=Mars/Olympus:20260301T100000\nDURATION:PT1H", "time zone"),
            (f"{DATE}\nRRULE:FREQ=SECONDLY", "not supported"),
            (f"{DATE}\nRRULE:FREQ=DAILY;INTERVAL=0", "cannot be read"),
            ("DTSTART;VALUE=DATE:19010101\nRRULE:FREQ=DAILY", "30 years"),
            (f"{DATE}\nDURATION:PXD", "duration"),
        ],
    )
    def test_what_is_not_understood_is_left_out_and_said(self, event: str, reason: str) -> None:
        feed = read_calendar(calendar(f"UID:bad\n{event}", f"UID:good\n{DATE}"), window=WINDOW)
        assert [one.uid for one in feed.events if one.uid == "good"] == ["good"]
        assert len(feed.problems) == 1
        assert "event bad" in feed.problems[0]
        assert reason in feed.problems[0]


class TestHarm:
    @pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"<html>", b"BEGIN:VEVENT\r\nEND:VEVENT", b"\xff\xfe"])
    def test_what_is_no_calendar_is_refused(self, data: bytes) -> None:
        with pytest.raises(CalendarRefused, match="not a calendar"):
            read_calendar(data)

    @pytest.mark.parametrize(
        "data",
        [
            b"BEGIN:VCALENDAR\n" + b"X" * (1024 * 1024),
            b"BEGIN:VCALENDAR\n" * 100,
            b"BEGIN:VCALENDAR\n" + b"a\n" * 300_000,
            calendar(*[f"UID:{n}\n{DATE}" for n in range(10_001)]),
            calendar(*[f"UID:{n}\n{DATE}\nRRULE:FREQ=DAILY" for n in range(40)]),
        ],
        ids=["large", "deep", "lines", "events", "repeated"],
    )
    def test_too_much_is_refused(self, data: bytes) -> None:
        with pytest.raises(CalendarRefused, match="calendar"):
            read_calendar(data, window=WINDOW)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "rule",
        [
            "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=YEARLY;INTERVAL=1000000",
            "FREQ=DAILY;BYSETPOS=9",
        ],
    )
    def test_a_thousand_impossible_rules_end_soon(self, rule: str) -> None:
        data = calendar(*[f"UID:{n}\nDTSTART;VALUE=DATE:20000301\nRRULE:{rule}" for n in range(1000)])
        begun = time.process_time()
        feed = read_calendar(data, window=WINDOW)
        assert time.process_time() - begun < 40  # without a bound on the work it takes hours
        assert len(feed.problems) <= 100

    @pytest.mark.slow
    def test_a_full_megabyte_is_read_in_seconds(self) -> None:
        event = "UID:{}\nDTSTART;VALUE=DATE:20260301\nDTEND;VALUE=DATE:20260304\nSUMMARY:Reserved"
        data = calendar(*[event.format(number) for number in range(9_000)])
        begun = time.process_time()
        assert len(read_calendar(data, window=WINDOW).events) == 9_000
        assert time.process_time() - begun < 25  # reading it over and over takes hours

    @given(
        st.lists(
            st.sampled_from(
                [
                    *'BEGIN:VEVNT;="\\\n\r ,DSRU0123TZ-+/',
                    *("BEGIN:VEVENT\n", "END:VEVENT\n", "DTSTART", "RRULE:", "EXDATE:", "FREQ=DAILY", "TZID="),
                    *("RECURRENCE-ID", "DURATION:P", "99999999", "\x00", "é"),
                ]
            ),
            max_size=120,
        )
    )
    def test_no_data_raises_anything_else(self, pieces: list[str]) -> None:
        data = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\n" + "".join(pieces).encode() + b"\nEND:VEVENT\nEND:VCALENDAR"
        try:
            read_calendar(data, window=WINDOW)
        except CalendarRefused:
            return


RULES = st.builds(
    lambda freq, interval, more: ";".join([f"FREQ={freq}", f"INTERVAL={interval}", *more]),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 4),
    st.sets(
        st.sampled_from(["BYMONTH=3,5", "BYMONTHDAY=1,15,-1", "BYDAY=MO,SU", "BYDAY=FR", "COUNT=7", "UNTIL=20270301"]),
        max_size=3,
    )
    .filter(lambda parts: len({part.split("=")[0] for part in parts} & {"COUNT", "UNTIL"}) < 2)
    .filter(lambda parts: len([part for part in parts if part.startswith("BYDAY")]) < 2),
)


@pytest.mark.slow
@given(RULES, st.dates(date(2025, 1, 1), date(2026, 12, 1)))
def test_rules_give_what_another_library_gives(rule: str, day: date) -> None:
    start, until = datetime.combine(day, datetime.min.time()), datetime(2028, 1, 1)  # noqa: DTZ001 - local times
    ours = list(Rule.read(rule).occurrences(start, until=until, work=Work(10**6)))
    theirs = rrulestr(rule, dtstart=start).between(start, until, inc=True)
    if theirs and theirs[0] == start:  # a first one that the rule does not name counts here, and not there
        assert ours == [moment for moment in theirs if moment < until]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", ["2026-01-30", "2026-02-27", "2026-03-27"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3", ["2026-01-30", "2026-02-27", "2026-03-31"]),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=2SU;COUNT=3", ["2026-01-30", "2026-03-08", "2027-03-14"]),
        ("FREQ=YEARLY;BYWEEKNO=1;COUNT=2", ["2026-01-30", "2027-01-08"]),
        ("FREQ=YEARLY;BYYEARDAY=-1;COUNT=2", ["2026-01-30", "2026-12-31"]),
    ],
)
def test_rules_of_the_standard(rule: str, days: list[str]) -> None:
    start = datetime(2026, 1, 30)  # noqa: DTZ001 - local times
    found = Rule.read(rule).occurrences(start, until=datetime(2029, 1, 1), work=Work(10**6))  # noqa: DTZ001
    assert [moment.date().isoformat() for moment in found] == days


class TestImport:
    def stored(self, events: tuple[Event, ...]) -> list[KnownEvent[str]]:
        return [KnownEvent(key=f"row {event.uid}", uid=event.uid, fingerprint=event.fingerprint) for event in events]

    def test_a_second_run_changes_nothing(self) -> None:
        events = read(f"UID:a\n{DATE}", f"UID:b\n{DATE}\nDTSTAMP:20260101T000000Z")
        first = plan_import([], events)
        assert [one.uid for one in first.inserts] == ["a", "b"]
        again = read(f"UID:b\n{DATE}\nDTSTAMP:20260102T000000Z", f"UID:a\n{DATE}")
        second = plan_import(self.stored(events), again)
        assert second.is_empty
        assert second.unchanged == 2

    def test_what_changed_is_updated_and_what_is_gone_or_cancelled_is_deleted(self) -> None:
        before = read(*[f"UID:{uid}\n{DATE}" for uid in "abcd"])
        after = read(
            f"UID:a\n{DATE}\nDTEND;VALUE=DATE:20260305",
            f"UID:b\n{DATE}\nSTATUS:CANCELLED",
            f"UID:c\n{DATE}\nTRANSP:TRANSPARENT",
            f"UID:e\n{DATE}",
        )
        plan = plan_import(self.stored(before), after)
        assert [one.uid for one in plan.inserts] == ["e"]
        assert [(key, event.during.days) for key, event in plan.updates] == [("row a", 4)]
        assert sorted(plan.deletes) == ["row b", "row c", "row d"]

    def test_a_row_stored_twice_is_kept_once(self) -> None:
        events = read(f"UID:a\n{DATE}")
        assert plan_import([*self.stored(events), *self.stored(events)], events).deletes == ("row a",)


def test_floating_times_need_a_zone_that_exists() -> None:
    with pytest.raises((ValueError, LookupError)):
        read_calendar(calendar(f"UID:a\n{DATE}"), zone="Mars/Olympus")
    assert read("UID:a\nDTSTART:20260301T100000\nDURATION:PT1H")[0].during.start == datetime(2026, 3, 1, 10, tzinfo=UTC)
