"""Half-open ranges: who leaves and who arrives on one day do not meet."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.calendar import Range

DAY = st.dates(date(2020, 1, 1), date(2020, 3, 1))


def march(first: int, last: int) -> Range:
    return Range(date(2026, 3, first), date(2026, 3, last))


def test_two_that_touch_do_not_overlap() -> None:
    assert not march(1, 4).overlaps(march(4, 6))
    assert march(1, 4).touches(march(4, 6))
    assert march(1, 5).intersection(march(4, 6)) == march(4, 5)
    assert march(1, 4).intersection(march(4, 6)) is None
    assert march(1, 4).days == 3
    assert march(1, 4).contains(date(2026, 3, 3))
    assert not march(1, 4).contains(date(2026, 3, 4))
    assert march(1, 9).covers(march(1, 4))
    assert not march(2, 9).covers(march(1, 4))


@given(DAY, DAY, DAY, DAY)
def test_overlap_is_sharing_a_day(a: date, b: date, c: date, d: date) -> None:
    if a >= b or c >= d:
        return
    one, other = Range(a, b), Range(c, d)
    shared = {a + timedelta(n) for n in range(one.days)} & {c + timedelta(n) for n in range(other.days)}
    assert one.overlaps(other) == other.overlaps(one) == bool(shared)
    both = one.intersection(other)
    assert (0 if both is None else both.days) == len(shared)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2026, 3, 1), date(2026, 3, 1)),
        (date(2026, 3, 2), date(2026, 3, 1)),
        (date(2026, 3, 1), datetime(2026, 3, 2, tzinfo=UTC)),
        (datetime(2026, 3, 1), datetime(2026, 3, 2)),  # noqa: DTZ001 - that is the fault
    ],
)
def test_what_is_no_range_is_refused(start: date, end: date) -> None:
    with pytest.raises(ValueError, match=r"range|instant"):
        Range(start, end)


def test_a_night_with_daylight_saving_has_the_hours_that_really_pass() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = Range(
        datetime(2026, 3, 28, 22, tzinfo=berlin).astimezone(UTC),
        datetime(2026, 3, 29, 6, tzinfo=berlin).astimezone(UTC),
    )
    assert night.length == timedelta(hours=7)


def test_days_and_instants_do_not_compare() -> None:
    instants = Range(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))
    with pytest.raises(TypeError):
        instants.overlaps(march(1, 2))
    with pytest.raises(TypeError):
        instants.contains(date(2026, 3, 1))
