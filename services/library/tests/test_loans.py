"""Borrowing, renewing, returning: the hard list of lending, each item a test."""

from __future__ import annotations

from uuid import UUID

import pytest

from freehold.testing import Clock, Person, Stage

from ..loans import jobs
from .shelves import a_copy, held, lent, letters, returned, rule, run, title

pytestmark = pytest.mark.anyio


class TestBorrowing:
    async def test_a_title_or_a_copy_for_fourteen_days(self, ada: Person, librarian: Person, clock: Clock) -> None:
        book = await title(librarian, copies=2)
        loan = await lent(ada, book["id"])
        assert (loan["patron_id"], loan["status"], loan["due_at"]) == (ada.id, "open", "2026-01-19T23:59:00Z")
        other = await a_copy(librarian, book["id"])
        again = await librarian.post("/v1/loans", {"copy_id": other["id"], "patron_id": ada.id})
        assert (again.status, again.json["patron_id"]) == (201, ada.id)

    async def test_one_open_loan_of_a_copy(self, ada: Person, ben: Person, librarian: Person) -> None:
        book = await title(librarian)
        loan = await lent(ada, book["id"])
        for wanted in ({"book_id": book["id"]}, {"copy_id": loan["copy_id"]}):
            refused = await ben.post("/v1/loans", wanted)
            assert (refused.status, refused.code) == (409, "library.no_copy")

    async def test_not_in_the_name_of_another(self, ada: Person, ben: Person, librarian: Person) -> None:
        book = await title(librarian)
        refused = await ben.post("/v1/loans", {"book_id": book["id"], "patron_id": ada.id})
        assert (refused.status, refused.pointers) == (422, ["/patron_id"])

    async def test_one_of_the_two_is_named(self, ada: Person, librarian: Person) -> None:
        book = await title(librarian)
        assert (await ada.post("/v1/loans", {})).status == 422
        both = {"book_id": book["id"], "copy_id": (await a_copy(librarian, book["id"]))["id"]}
        assert (await ada.post("/v1/loans", both)).status == 422
        assert (await ada.post("/v1/loans", {"book_id": "0190b0a0-0000-7000-8000-000000000000"})).status == 422

    async def test_a_refused_loan_is_in_no_history(self, ada: Person, librarian: Person, stage: Stage) -> None:
        book = await title(librarian, copies=0)
        assert (await ada.post("/v1/loans", {"book_id": book["id"]})).code == "library.no_copy"
        assert (await librarian.get("/v1/loans?count=true")).json["total"] == 0
        assert (await librarian.get(f"/v1/books/{book['id']}")).json["times_borrowed"] == 0

    async def test_the_due_date_is_worked_out_when_it_is_lent(
        self, ada: Person, librarian: Person, clock: Clock
    ) -> None:
        book = await title(librarian, copies=2)
        first = await lent(ada, book["id"])
        clock.advance(days=3)
        second = await lent(ada, book["id"])
        assert [loan["due_at"][:10] for loan in (first, second)] == ["2026-01-19", "2026-01-22"]


class TestLimits:
    async def test_as_many_as_the_rules_say(self, ada: Person, librarian: Person) -> None:
        await rule(librarian, loan_limit=2)
        book = await title(librarian, copies=3)
        loans = [await lent(ada, book["id"]) for _ in range(2)]
        refused = await ada.post("/v1/loans", {"book_id": book["id"]})
        assert (refused.status, refused.code) == (409, "library.loan_limit")
        await returned(ada, loans[0])
        await lent(ada, book["id"])

    async def test_of_an_item_type(self, ada: Person, librarian: Person) -> None:
        await rule(librarian, item_type="dvd", loan_limit=1)
        book = await title(librarian, copies=2)
        discs = await title(librarian, copies=0, title="Dune (film)")
        for _ in range(2):
            await a_copy(librarian, discs["id"], item_type="dvd")
        await lent(ada, discs["id"])
        assert (await ada.post("/v1/loans", {"book_id": discs["id"]})).code == "library.loan_limit"
        await lent(ada, book["id"])

    async def test_a_patron_who_may_not(self, ada: Person, librarian: Person) -> None:
        book = await title(librarian)
        for changes, reason in (
            ({"expires_on": "2020-01-01"}, "ran out"),
            ({"expires_on": "2030-01-01", "blocked_reason": "Lost her card"}, "Lost her card"),
            ({"blocked_reason": None, "suspended_until": "2029-01-01"}, "before 2029-01-01"),
        ):
            assert (await librarian.patch(f"/v1/patrons/{ada.id}", changes)).status == 200
            refused = await ada.post("/v1/loans", {"book_id": book["id"]})
            assert (refused.status, refused.code) == (409, "library.patron_blocked")
            assert reason in refused.json["detail"]


class TestReturning:
    async def test_once(self, ada: Person, librarian: Person) -> None:
        loan = await lent(ada, (await title(librarian))["id"])
        done = await returned(ada, loan)
        assert (done["status"], done["ended_at"] is not None) == ("returned", True)
        again = await ada.post(f"/v1/loans/{loan['id']}/return")
        assert (again.status, again.code) == (409, "library.loan_state")

    async def test_the_next_hold_is_promoted_in_the_same_commit(
        self, ada: Person, ben: Person, cleo: Person, librarian: Person, stage: Stage
    ) -> None:
        book = await title(librarian)
        loan = await lent(ada, book["id"])
        first, second = await held(ben, book["id"]), await held(cleo, book["id"])
        assert [hold["position"] for hold in (first, second)] == [1, 2]
        await returned(ada, loan)
        assert (await ben.get(f"/v1/holds/{first['id']}")).json["status"] == "ready"
        assert (await cleo.get(f"/v1/holds/{second['id']}")).json["position"] == 1
        assert (await ada.get(f"/v1/copies/{loan['copy_id']}")).json["status"] == "on_hold"
        assert await letters(stage, ben.email) == ["Library: Ready: Dune"]
        assert (await cleo.post("/v1/loans", {"book_id": book["id"]})).code == "library.no_copy"
        await lent(ben, book["id"])
        assert (await ben.get(f"/v1/holds/{first['id']}")).json["status"] == "fulfilled"

    async def test_by_strangers_not(self, ada: Person, ben: Person, librarian: Person) -> None:
        loan = await lent(ada, (await title(librarian))["id"])
        assert (await ben.post(f"/v1/loans/{loan['id']}/return")).status == 404
        assert (await librarian.post(f"/v1/loans/{loan['id']}/return")).status == 200


class TestRenewing:
    async def test_as_often_as_agreed_and_from_that_day_on(self, ada: Person, librarian: Person, clock: Clock) -> None:
        loan = await lent(ada, (await title(librarian))["id"])
        clock.advance(days=10)
        once = await ada.made(f"/v1/loans/{loan['id']}/renewal")
        assert (once["renewals"], once["due_at"]) == (1, "2026-01-29T23:59:00Z")
        too_early = await ada.post(f"/v1/loans/{loan['id']}/renewal")
        assert (too_early.status, too_early.code) == (409, "library.renewal_too_early")
        clock.advance(days=5)
        await ada.made(f"/v1/loans/{loan['id']}/renewal")
        clock.advance(days=5)
        assert (await ada.post(f"/v1/loans/{loan['id']}/renewal")).code == "library.renewal_limit"

    async def test_not_while_somebody_waits(self, ada: Person, ben: Person, librarian: Person, clock: Clock) -> None:
        book = await title(librarian)
        loan = await lent(ada, book["id"])
        clock.advance(days=3)
        hold = await held(ben, book["id"])
        refused = await ada.post(f"/v1/loans/{loan['id']}/renewal")
        assert (refused.status, refused.code) == (409, "library.held")
        assert (await ben.delete(f"/v1/holds/{hold['id']}")).status == 204
        await ada.made(f"/v1/loans/{loan['id']}/renewal")

    async def test_not_too_early(self, ada: Person, librarian: Person, clock: Clock) -> None:
        await rule(librarian, no_renewal_before_days=3)
        loan = await lent(ada, (await title(librarian))["id"])
        clock.advance(days=5)
        assert (await ada.post(f"/v1/loans/{loan['id']}/renewal")).code == "library.renewal_too_early"
        clock.advance(days=7)
        await ada.made(f"/v1/loans/{loan['id']}/renewal")

    async def test_by_itself(self, ada: Person, ben: Person, librarian: Person, clock: Clock, stage: Stage) -> None:
        await rule(librarian, automatic_renewal=True)
        free, wanted = await title(librarian), await title(librarian, title="Emma")
        loans = [await lent(ada, free["id"]), await lent(ada, wanted["id"])]
        await held(ben, wanted["id"])
        clock.advance(days=13)
        for loan in loans:
            await run(stage, jobs.renew_by_itself, loan_id=UUID(loan["id"]))
        found = [(await ada.get(f"/v1/loans/{loan['id']}")).json["renewals"] for loan in loans]
        assert found == [1, 0]
        assert await letters(stage, ada.email) == ["Library: Dune: renewed", "Library: Emma: due soon"]
