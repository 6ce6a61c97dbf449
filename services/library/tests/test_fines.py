"""Fines and payments: each day once, never more than agreed, and paid exactly."""

from __future__ import annotations

from typing import Any

import pytest

from freehold.testing import Clock, Person, Stage

from ..fines.calculation import overdue
from ..loans import jobs
from ..rules.terms import Terms
from .shelves import a_copy, lent, letters, returned, rule, run, title

pytestmark = pytest.mark.anyio


class TestCalculation:
    @pytest.mark.parametrize(
        ("terms", "days", "price", "amount"),
        [
            ({}, 100, None, 0),
            ({"fine_amount": 20}, 3, None, 60),
            ({"fine_amount": 20, "grace_days": 3}, 3, None, 0),
            ({"fine_amount": 20, "grace_days": 3}, 4, None, 80),
            ({"fine_amount": 50, "fine_interval_days": 7}, 13, None, 50),
            ({"fine_amount": 20, "fine_cap": 100}, 30, None, 100),
            ({"fine_amount": 20, "cap_at_price": True}, 300, 900, 900),
            ({"fine_amount": 20, "cap_at_price": True}, 300, None, 6000),
            ({"fine_amount": 20, "cap_at_price": True, "fine_cap": 500}, 300, 900, 500),
        ],
    )
    def test_by_days_grace_and_caps(self, terms: dict[str, Any], days: int, price: int | None, amount: int) -> None:
        assert overdue(Terms(**terms), days_late=days, price_amount=price) == amount


async def fines(person: Person) -> list[tuple[str, int, int]]:
    found = (await person.get("/v1/fines")).json["items"]
    return [(fine["kind"], fine["amount"], fine["balance_amount"]) for fine in found]


class TestAccrual:
    async def test_each_day_s_fine_once(self, ada: Person, librarian: Person, clock: Clock, stage: Stage) -> None:
        await rule(librarian, fine_amount=20)
        loan = await lent(ada, (await title(librarian))["id"])
        clock.advance(days=15)
        for _ in range(3):
            await run(stage, jobs.charge_fines)
        assert await fines(ada) == [("overdue", 20, 20)]
        clock.advance(days=2)  # a day on which the job did not run is not lost, and none is counted twice
        for _ in range(2):
            await run(stage, jobs.charge_fines)
        await returned(ada, loan)
        await run(stage, jobs.charge_fines)
        assert await fines(ada) == [("overdue", 60, 60)]

    async def test_closed_days_cost_nothing(self, ada: Person, librarian: Person, clock: Clock) -> None:
        await rule(librarian, fine_amount=20)
        loan = await lent(ada, (await title(librarian))["id"])
        days = {"library_id": loan["library_id"], "day": "2026-01-20"}
        await librarian.made("/v1/closed-days", days)
        assert (await librarian.post("/v1/closed-days", days)).code == "library.closed_already"
        clock.advance(days=17)
        await returned(ada, loan)
        assert await fines(ada) == [("overdue", 40, 40)]

    async def test_suspension(self, ada: Person, librarian: Person, clock: Clock) -> None:
        await rule(librarian, suspension_days=2)
        book = await title(librarian)
        loan = await lent(ada, book["id"])
        clock.advance(days=17)
        await returned(ada, loan)
        assert (await ada.post("/v1/loans", {"book_id": book["id"]})).code == "library.patron_blocked"
        clock.advance(days=6)
        await lent(ada, book["id"])

    async def test_the_rules_of_the_day_on_which_it_was_lent(
        self, ada: Person, librarian: Person, clock: Clock
    ) -> None:
        made = await rule(librarian, fine_amount=20)
        loan = await lent(ada, (await title(librarian))["id"])
        assert (await librarian.patch(f"/v1/circulation-rules/{made['id']}", {"fine_amount": 900})).status == 200
        clock.advance(days=15)
        await returned(ada, loan)
        assert await fines(ada) == [("overdue", 20, 20)]


class TestPaying:
    async def test_never_more_than_is_owed(self, ada: Person, ben: Person, librarian: Person, clock: Clock) -> None:
        await rule(librarian, fine_amount=400)
        book = await title(librarian)
        loan = await lent(ada, book["id"])
        clock.advance(days=17)
        await returned(ada, loan)
        (fine,) = (await ada.get("/v1/fines?balance_amount__gt=0")).json["items"]
        assert (await ada.post("/v1/loans", {"book_id": book["id"]})).code == "library.patron_blocked"
        assert (await ada.post("/v1/payments", {"fine_id": fine["id"], "amount": 1200})).status == 403
        assert (await ben.get(f"/v1/fines/{fine['id']}")).status == 404
        paid = await librarian.made("/v1/payments", {"fine_id": fine["id"], "amount": 500}, Idempotency_Key="one")
        again = await librarian.made("/v1/payments", {"fine_id": fine["id"], "amount": 500}, Idempotency_Key="one")
        assert (paid["id"], paid["currency"]) == (again["id"], "EUR")
        refused = await librarian.post(f"/v1/fines/{fine['id']}/payments", {"amount": 701})
        assert (refused.status, refused.code) == (409, "library.overpaid")
        await librarian.made(f"/v1/fines/{fine['id']}/payments", {"amount": 700, "method": "card"})
        assert await fines(ada) == [("overdue", 1200, 0)]
        await lent(ada, book["id"])

    async def test_waived_with_a_reason(self, ada: Person, librarian: Person, clock: Clock) -> None:
        await rule(librarian, fine_amount=20)
        loan = await lent(ada, (await title(librarian))["id"])
        clock.advance(days=15)
        await returned(ada, loan)
        path = f"/v1/fines/{(await ada.get('/v1/fines')).json['items'][0]['id']}/waiver"
        assert (await ada.post(path, {"reason": "Please."})).status == 403
        waived = await librarian.made(path, {"reason": "The lift was broken."})
        assert (waived["balance_amount"], waived["reason"]) == (0, "The lift was broken.")
        assert (await librarian.post(path, {"reason": "Again."})).code == "library.nothing_owed"


class TestLossAndDamage:
    async def test_a_lost_copy_costs_its_price_until_it_is_found(
        self, ada: Person, librarian: Person, clock: Clock
    ) -> None:
        book = await title(librarian, copies=0)
        copy = await a_copy(librarian, book["id"], price_amount=1800)
        loan = await lent(ada, book["id"])
        lost = await librarian.made(f"/v1/copies/{copy['id']}/loss")
        assert lost["status"] == "lost"
        assert (await ada.get(f"/v1/loans/{loan['id']}")).json["status"] == "lost"
        assert await fines(ada) == [("lost", 1800, 1800)]
        assert (await librarian.post(f"/v1/copies/{copy['id']}/loss")).code == "library.copy_state"
        assert (await librarian.made(f"/v1/copies/{copy['id']}/recovery"))["status"] == "available"
        assert await fines(ada) == [("lost", 1800, 0)]

    async def test_damage_is_charged_to_whoever_had_it_last(self, ada: Person, librarian: Person) -> None:
        book = await title(librarian)
        loan = await lent(ada, book["id"])
        path = f"/v1/copies/{loan['copy_id']}/damage"
        assert (await librarian.post(path, {"note": "Wet"})).code == "library.copy_state"
        await returned(ada, loan)
        assert (await librarian.made(path, {"note": "Wet", "amount": 500}))["status"] == "damaged"
        assert await fines(ada) == [("damage", 500, 500)]
        assert (await ada.get("/v1/books?available=true")).json["items"] == []


class TestNotices:
    async def test_each_is_sent_once(self, ada: Person, librarian: Person, clock: Clock, stage: Stage) -> None:
        await lent(ada, (await title(librarian))["id"])
        for days in (13, 0, 2, 0, 1):
            clock.advance(days=days)
            await run(stage, jobs.remind)
            await run(stage, jobs.charge_fines)
        assert await letters(stage, ada.email) == ["Library: Dune: due soon", "Library: Dune: overdue"]
        notices = (await ada.get("/v1/notices?read_at__isnull=true")).json["items"]
        assert [notice["kind"] for notice in notices] == ["overdue", "due_soon"]
        await ada.made(f"/v1/notices/{notices[0]['id']}/reading")
        assert (await librarian.get(f"/v1/notices/{notices[0]['id']}")).status == 404
