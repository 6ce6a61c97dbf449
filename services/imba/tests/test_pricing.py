"""Terms, quotes and refunds: `/v1/properties/{id}/booking-terms` and `/quote`, and what a stay keeps of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from freehold.testing import Clock

from ..pricing.calculation import price_lines, refund
from ..pricing.schemas import POLICIES, BookingTerms, PriceLine
from .world import Json, Person, day, listed, reserved, stay

pytestmark = pytest.mark.anyio
PATH = "/v1/reservations"


@pytest.fixture
async def home(landlord: Person, reviewer: Person) -> str:
    """A listed property, 145.00 USD per night."""
    found: str = (await listed(landlord, reviewer))["id"]
    return found


async def put_terms(landlord: Person, home: str, **terms: Any) -> Json:
    answer = await landlord.put(f"/v1/properties/{home}/booking-terms", terms)
    assert answer.status == 200, answer.text
    body: Json = answer.json
    return body


class TestTerms:
    async def test_what_was_put_reads_back_for_all(self, home: str, landlord: Person, anonymous: Person) -> None:
        put = await landlord.put(f"/v1/properties/{home}/booking-terms", {"min_nights": 2, "deposit_amount": 500})
        got = await anonymous.get(f"/v1/properties/{home}/booking-terms")
        assert (got.text, got.headers["etag"]) == (put.text, put.headers["etag"])
        assert (got.json["min_nights"], got.json["max_nights"], got.json["cancellation"]) == (2, 365, "flexible")

    async def test_X02_a_tag_that_was_read_is_good_until_the_terms_change(self, home: str, landlord: Person) -> None:
        for part, body in (("booking-terms", {"min_nights": 2}), ("visiting-hours", {"buffer_minutes": 15})):
            path = f"/v1/properties/{home}/{part}"
            read = (await landlord.get(path)).headers["etag"]
            put = await landlord.put(path, body, if_match=read)
            assert put.status == 200, put.text
            assert (await landlord.put(path, {}, if_match=read)).code == "request.precondition_failed"
            assert (await landlord.put(path, {}, if_match=put.headers["etag"])).status == 200

    async def test_only_its_landlord_sets_them(
        self, home: str, tenant: Person, other_landlord: Person, anonymous: Person
    ) -> None:
        path = f"/v1/properties/{home}/booking-terms"
        assert (await anonymous.put(path, {})).status == 401
        assert (await tenant.put(path, {})).status == 403
        assert (await other_landlord.put(path, {})).status == 403

    @pytest.mark.parametrize(
        "terms",
        [
            {"min_nights": 5, "max_nights": 4},
            {"arrival_days": []},
            {"arrival_days": ["sat", "sat"]},
            {"cancellation": "custom"},
            {"cancellation_steps": [{"days_before": 1, "percent": 50}]},
            {"seasons": [{"start": "2026-07-01", "end": "2026-07-01", "price_amount": 1}]},
            {"check_in_time": "24:00"},
            {"price": 1},
        ],
    )
    async def test_terms_that_contradict_themselves(self, home: str, landlord: Person, terms: Json) -> None:
        assert (await landlord.put(f"/v1/properties/{home}/booking-terms", terms)).status == 422

    @pytest.mark.parametrize(
        ("terms", "asked", "pointer"),
        [
            ({"min_nights": 4}, (10, 13), "/check_out"),
            ({"max_nights": 2}, (10, 13), "/check_out"),
            ({"arrival_days": ["sat"]}, (12, 15), "/check_in"),  # 2026-01-17 is a Saturday, day 12
            ({"arrival_days": ["sun"]}, (12, 15), "/check_in"),
            ({"arrival_days": ["sat"], "departure_days": ["sat"]}, (12, 15), "/check_out"),  # the turnover day
            ({"notice_days": 11}, (10, 13), "/check_in"),
            ({"horizon_days": 9}, (10, 13), "/check_in"),
            ({"max_guests": 1}, (10, 13), "/guests"),
        ],
    )
    async def test_a_stay_outside_them(
        self, home: str, landlord: Person, tenant: Person, terms: Json, asked: tuple[int, int], pointer: str
    ) -> None:
        await put_terms(landlord, home, **terms)
        answer = await tenant.post(PATH, stay(home, *asked))
        if terms == {"arrival_days": ["sat"]}:
            assert answer.status == 201, "that is a Saturday"
            return
        assert (answer.status, answer.code, answer.pointers) == (422, "imba.outside_terms", [pointer])
        quoted = await tenant.get(
            f"/v1/properties/{home}/quote?check_in={day(asked[0])}&check_out={day(asked[1])}&guests=2"
        )
        assert quoted.pointers == [pointer.removeprefix("/")]

    async def test_from_turnover_day_to_turnover_day(self, home: str, landlord: Person, tenant: Person) -> None:
        await put_terms(landlord, home, arrival_days=["sat"], departure_days=["sat"], min_nights=2)
        quoted = (await tenant.get(f"/v1/properties/{home}/quote?check_in={day(12)}")).json
        assert quoted["check_out"] == day(19).isoformat()
        await tenant.made(PATH, stay(home, 12, 19))
        await tenant.made(PATH, stay(home, 19, 26))

    async def test_instant_booking_is_confirmed_at_once(self, home: str, landlord: Person, tenant: Person) -> None:
        await put_terms(landlord, home, instant=True)
        booked = await reserved(tenant, home)
        assert (booked["status"], booked["expires_at"]) == ("confirmed", None)
        assert (await landlord.post(f"{PATH}/{booked['id']}/confirmation")).status == 409

    async def test_the_hold_lasts_as_long_as_they_say(
        self, home: str, landlord: Person, tenant: Person, other_tenant: Person, clock: Clock
    ) -> None:
        await put_terms(landlord, home, hold_hours=2)
        await reserved(tenant, home)
        clock.advance(hours=2)
        await reserved(other_tenant, home)

    async def test_nights_between_two_stays(
        self, home: str, landlord: Person, tenant: Person, other_tenant: Person
    ) -> None:
        await put_terms(landlord, home, gap_nights=1)
        await reserved(tenant, home, 10, 13)
        for touching in ((13, 15), (8, 10)):
            assert (await other_tenant.post(PATH, stay(home, *touching))).code == "imba.dates_taken"
        await reserved(other_tenant, home, 14, 15)
        await reserved(other_tenant, home, 7, 9)

    async def test_today_is_the_day_there(
        self, landlord: Person, reviewer: Person, tenant: Person, clock: Clock
    ) -> None:
        home = (await listed(landlord, reviewer, time_zone="America/Los_Angeles"))["id"]
        clock.set(datetime(2026, 1, 6, 3, 0, tzinfo=UTC))  # seven in the evening of the 5th there
        dates = {"check_in": "2026-01-05", "check_out": "2026-01-06"}
        booked = await tenant.made(PATH, stay(home) | dates)
        assert (booked["starts_at"], booked["ends_at"]) == ("2026-01-05T23:00:00Z", "2026-01-06T19:00:00Z")
        clock.set(datetime(2026, 1, 6, 8, 0, tzinfo=UTC))
        assert (await tenant.post(PATH, stay(home) | dates)).pointers == ["/check_in"]


class TestQuote:
    @pytest.mark.parametrize("day_", ["9999-12-31", "3000-01-01", "1899-12-31"])
    async def test_V05_not_at_the_ends_of_all_days(self, home: str, tenant: Person, day_: str) -> None:
        answer = await tenant.get(f"/v1/properties/{home}/quote?check_in={day_}")
        assert (answer.status, answer.pointers) == (422, ["check_in"])
        answer = await tenant.post("/v1/reservations", stay(home, check_in=day_, check_out="9999-12-31"))
        assert answer.status == 422

    async def test_a_line_for_each_part(self, home: str, landlord: Person, anonymous: Person) -> None:
        season = {"start": day(12).isoformat(), "end": day(14).isoformat(), "price_amount": 20_005}
        await put_terms(
            landlord,
            home,
            seasons=[season],
            length_discounts=[{"nights": 28, "basis_points": 2000}, {"nights": 7, "basis_points": 1001}],
            cleaning_amount=3000,
            deposit_amount=50_000,
        )
        quote = (
            await anonymous.get(f"/v1/properties/{home}/quote?check_in={day(10)}&check_out={day(17)}&guests=2")
        ).json
        parts = [(line["kind"], line["nights"], line["amount"]) for line in quote["lines"]]
        # 10.01 % of 1,125.10 is 112.6225, so 112.62.
        assert parts == [
            ("nights", 2, 29_000), ("nights", 2, 40_010), ("nights", 3, 43_500), ("length_discount", None, -11_262),
            ("cleaning", None, 3000),
        ]  # fmt: skip
        assert (quote["total_amount"], quote["deposit_amount"], quote["currency"]) == (104_248, 50_000, "USD")

    async def test_the_price_changed_between_the_quote_and_the_booking(
        self, home: str, landlord: Person, tenant: Person
    ) -> None:
        path = f"/v1/properties/{home}/quote?check_in={day(10)}&check_out={day(13)}&guests=2"
        expected = (await tenant.get(path)).json["total_amount"]
        await put_terms(landlord, home, cleaning_amount=1)
        refused = await tenant.post(PATH, stay(home, expected_total=expected))
        assert (refused.status, refused.code) == (409, "imba.price_changed")
        now = refused.json["quote"]["total_amount"]
        assert now == expected + 1
        booked = await tenant.made(PATH, stay(home, expected_total=now))
        await put_terms(landlord, home, cleaning_amount=99, cancellation="strict", check_in_time="10:00")
        kept = (await tenant.get(f"{PATH}/{booked['id']}")).json
        assert kept == booked
        assert kept["price_lines"][-1]["amount"] == 1

    async def test_the_parts_add_up(self) -> None:
        terms = BookingTerms(length_discounts=[{"nights": 2, "basis_points": 3333}])  # type: ignore[list-item]
        for nightly in range(1, 200):
            lines = price_lines(terms, nightly, date(2026, 1, 1), date(2026, 1, 4))
            assert lines[1].amount == -((3 * nightly * 3333 + 5000) // 10_000)
            assert 0 <= sum(line.amount for line in lines) <= 3 * nightly


class TestRefund:
    LINES = (PriceLine(kind="nights", amount=10_001), PriceLine(kind="cleaning", amount=500))

    @pytest.mark.parametrize(
        ("policy", "moment", "expected"),
        [
            ("flexible", "2026-03-28T14:00:00+00:00", 10_501),  # 15:00 in Berlin, the day before
            ("flexible", "2026-03-28T14:00:01+00:00", 500),
            ("flexible", "2026-03-29T12:59:59+00:00", 500),  # 15:00 in Berlin on the 29th is 13:00 UTC: summer time
            ("flexible", "2026-03-29T13:00:00+00:00", 0),
            ("moderate", "2026-03-24T14:00:00+00:00", 10_501),
            ("moderate", "2026-03-24T14:00:01+00:00", 5_501),  # half of 100.01 is 50.005, so 50.01
            ("strict", "2026-02-27T14:00:00+00:00", 10_501),
            ("strict", "2026-03-22T14:00:01+00:00", 500),
        ],
    )
    def test_at_the_instant_there(self, policy: Any, moment: str, expected: int) -> None:
        found = refund(
            self.LINES,
            POLICIES[policy],
            now=datetime.fromisoformat(moment),
            check_in=date(2026, 3, 29),
            clock="15:00",
            zone="Europe/Berlin",
        )
        assert found == expected

    async def test_a_tenant_gets_back_what_was_agreed(
        self, home: str, landlord: Person, tenant: Person, clock: Clock
    ) -> None:
        await put_terms(landlord, home, instant=True, cancellation="moderate", deposit_amount=700)
        booked = await reserved(tenant, home)
        assert (booked["deposit_amount"], booked["deposit_status"]) == (700, "due")
        clock.advance(timedelta(days=7))
        gone = await tenant.made(f"{PATH}/{booked['id']}/cancellation")
        assert (gone["refund_amount"], gone["deposit_status"]) == (booked["total_amount"] // 2, "released")

    async def test_a_landlord_who_cancels_gives_all_of_it_back(
        self, home: str, landlord: Person, tenant: Person, clock: Clock
    ) -> None:
        await put_terms(landlord, home, instant=True, cancellation="strict")
        booked = await reserved(tenant, home)
        clock.advance(timedelta(days=10, hours=7))
        gone = await landlord.made(f"{PATH}/{booked['id']}/cancellation")
        assert gone["refund_amount"] == booked["total_amount"]

    async def test_a_request_that_was_not_accepted_costs_nothing(
        self, home: str, landlord: Person, tenant: Person
    ) -> None:
        await put_terms(landlord, home, cancellation="strict")
        held = await reserved(tenant, home, 1, 3)
        gone = await tenant.made(f"{PATH}/{held['id']}/cancellation")
        assert gone["refund_amount"] == held["total_amount"]
