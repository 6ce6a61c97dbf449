"""The matrix: the most specific rule wins, setting by setting; and when a loan is due by it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from freehold.testing import Person

from ..libraries.opening import NeverOpen, OpenDays
from ..loans.due import days_late, due_at
from ..rules.models import CirculationRule
from ..rules.terms import Terms, resolve
from .shelves import rule

HERE, THERE = UUID(int=1), UUID(int=2)


class TestResolve:
    def terms(self, *rules: dict[str, Any]) -> Terms:
        made = [CirculationRule(**settings) for settings in rules]
        return resolve(made, library_id=HERE, category="child", item_type="dvd")

    def test_without_rules(self) -> None:
        assert self.terms() == Terms()

    @pytest.mark.parametrize(
        ("wide", "narrow"),
        [
            ({}, {"item_type": "dvd"}),
            ({"item_type": "dvd"}, {"category": "child"}),
            ({"category": "child", "item_type": "dvd"}, {"library_id": HERE}),
            ({"library_id": HERE}, {"library_id": HERE, "item_type": "dvd"}),
            ({"library_id": HERE, "item_type": "dvd"}, {"library_id": HERE, "category": "child"}),
            ({"library_id": HERE, "category": "child"}, {"library_id": HERE, "category": "child", "item_type": "dvd"}),
        ],
    )
    def test_the_most_specific_wins(self, wide: dict[str, Any], narrow: dict[str, Any]) -> None:
        rules = {**wide, "renewals": 1}, {**narrow, "renewals": 9}
        assert self.terms(*rules).renewals == self.terms(*reversed(rules)).renewals == 9

    def test_setting_by_setting(self) -> None:
        found = self.terms({"renewals": 1, "fine_amount": 5}, {"category": "child", "fine_amount": 0})
        assert (found.renewals, found.fine_amount) == (1, 0)

    def test_rules_for_others_say_nothing(self) -> None:
        others = {"library_id": THERE}, {"category": "adult"}, {"item_type": "book"}
        assert self.terms(*({**each, "renewals": 9} for each in others)) == Terms()

    def test_limits_in_all_and_of_the_type(self) -> None:
        found = self.terms({"loan_limit": 8}, {"item_type": "dvd", "loan_limit": 2})
        assert (found.loan_limit, found.type_limit) == (8, 2)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestDue:
    @pytest.mark.parametrize(
        ("terms", "opening", "since", "due"),
        [
            # The end of the day there, in winter, in summer, and over the changes between them (29 March, 25 October).
            ({}, OpenDays("Europe/Berlin"), "2026-01-05T10:00", "2026-01-19T22:59"),
            ({}, OpenDays("Europe/Berlin"), "2026-03-20T10:00", "2026-04-03T21:59"),
            ({}, OpenDays("Europe/Berlin"), "2026-10-15T10:00", "2026-10-29T22:59"),
            # What is late in the evening in UTC is the next day in Tokyo.
            ({}, OpenDays("Asia/Tokyo"), "2026-01-05T20:00", "2026-01-20T14:59"),
            # The 19th is a Monday: closed on Mondays, and on the Tuesday after it.
            ({}, OpenDays("UTC", frozenset({1})), "2026-01-05T10:00", "2026-01-20T23:59"),
            ({}, OpenDays("UTC", frozenset({1}), frozenset({date(2026, 1, 20)})), "2026-01-05T10:00", "2026-01-21T23:59"),
            ({"hard_due_on": date(2026, 1, 12)}, OpenDays("UTC"), "2026-01-05T10:00", "2026-01-12T23:59"),
            ({"hard_due_on": date(2026, 1, 12)}, OpenDays("UTC", frozenset({1, 7})), "2026-01-05T10:00", "2026-01-10T23:59"),
            ({"hard_due_on": date(2026, 1, 4)}, OpenDays("UTC"), "2026-01-05T10:00", "2026-01-19T23:59"),
            ({"hard_due_on": date(2026, 3, 1)}, OpenDays("UTC"), "2026-01-05T10:00", "2026-01-19T23:59"),
            # Hours are hours, also where the clock leaps; on a closed day, the same time of the next open one.
            ({"period_unit": "hours", "period_length": 3}, OpenDays("Europe/Berlin"), "2026-03-29T00:30", "2026-03-29T03:30"),
            ({"period_unit": "hours", "period_length": 24}, OpenDays("UTC", frozenset({2})), "2026-01-05T10:00", "2026-01-07T10:00"),
        ],
    )  # fmt: skip
    def test_never_on_a_closed_day_and_by_the_clock_there(
        self, terms: dict[str, Any], opening: OpenDays, since: str, due: str
    ) -> None:
        assert due_at(Terms(**terms), opening, since=at(since)) == at(due)

    def test_a_library_that_never_opens(self) -> None:
        with pytest.raises(NeverOpen):
            due_at(Terms(), OpenDays("UTC", frozenset(range(1, 8))), since=at("2026-01-05T10:00"))

    def test_days_late_are_open_days_there(self) -> None:
        opening = OpenDays("Europe/Berlin", frozenset({7}))
        due = at("2026-03-28T22:59")  # a Saturday; the clocks go forward on Sunday
        assert days_late(due, opening, at=at("2026-03-28T22:58")) == 0
        assert days_late(due, opening, at=at("2026-03-29T12:00")) == 0
        assert days_late(due, opening, at=at("2026-03-30T12:00")) == 1
        assert days_late(due, opening, at=at("2026-04-06T21:59")) == 7


@pytest.mark.anyio
async def test_one_rule_for_each_place_of_the_matrix(librarian: Person, ada: Person) -> None:
    await rule(librarian, category="child", renewals=1)
    twin = await librarian.post("/v1/circulation-rules", {"category": "child"})
    assert (twin.status, twin.code) == (409, "library.rule_taken")
    assert (await ada.post("/v1/circulation-rules", {"category": "adult"})).status == 403
    assert (await librarian.post("/v1/circulation-rules", {"category": "Über uns"})).status == 422
