"""Several at once, on both databases: what can happen once happens once, and one truth is left."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from freehold.testing import Clock, Person, Stage

from .conftest import person
from .shelves import held, lent, returned, rule, title

pytestmark = pytest.mark.anyio

SOME_ROUNDS, MANY_ROUNDS = 3, 200


@pytest.fixture
async def people(real_stage: Stage) -> tuple[Person, Person, Person]:
    """A librarian and two patrons."""
    return (
        await person(real_stage, "librarian"),
        await person(real_stage, "patron"),
        await person(real_stage, "patron"),
    )


def sorted_codes(answers: list[Any]) -> list[str]:
    return sorted("" if answer.status < 300 else answer.code for answer in answers)


async def one_truth(librarian: Person, book: dict[str, Any]) -> None:
    """What the rows say of a title agrees: copies, loans, holds, the queue and the counter."""
    of_it = f"book_id={book['id']}&limit=100&count=true"
    copies = (await librarian.get(f"/v1/copies?{of_it}")).json["items"]
    out = (await librarian.get(f"/v1/loans?{of_it}&status=open")).json["items"]
    assert sorted(loan["copy_id"] for loan in out) == _in_state(copies, "on_loan")
    ready = (await librarian.get(f"/v1/holds?{of_it}&status=ready")).json["items"]
    assert sorted(hold["copy_id"] for hold in ready) == _in_state(copies, "on_hold")
    waiting = (await librarian.get(f"/v1/holds?{of_it}&status=waiting")).json["items"]
    assert sorted(hold["position"] for hold in waiting) == list(range(1, len(waiting) + 1))
    assert not waiting or not _in_state(copies, "available"), "nobody waits for what is on the shelf"
    ever = (await librarian.get(f"/v1/loans?{of_it}")).json["total"]
    assert (await librarian.get(f"/v1/books/{book['id']}")).json["times_borrowed"] == ever


def _in_state(copies: list[Any], status: str) -> list[str]:
    return sorted(copy["id"] for copy in copies if copy["status"] == status)


class TestLastCopy:
    @pytest.mark.long
    async def test_X07_one_of_a_hundred_borrowers_gets_it(
        self, real_stage: Stage, people: tuple[Person, Person, Person]
    ) -> None:
        librarian = people[0]
        book = await title(librarian)
        crowd = [await person(real_stage, "patron") for _ in range(100)]
        answers = await asyncio.gather(*(each.post("/v1/loans", {"book_id": book["id"]}) for each in crowd))
        assert sorted_codes(answers) == [""] + ["library.no_copy"] * 99
        await one_truth(librarian, book)


class TestLoanLimit:
    async def test_holds_for_a_patron_at_many_machines(self, people: tuple[Person, Person, Person]) -> None:
        librarian, ada, _ = people
        await rule(librarian, loan_limit=2)
        books = [await title(librarian, title=f"Volume {number}") for number in range(8)]
        answers = await asyncio.gather(*(ada.post("/v1/loans", {"book_id": book["id"]}) for book in books))
        assert sorted_codes(answers) == ["", ""] + ["library.loan_limit"] * 6
        assert (await ada.get("/v1/loans?status=open&count=true")).json["total"] == 2


async def return_renew_and_hold(
    people: tuple[Person, Person, Person], clock: Clock, rounds: int
) -> set[tuple[int, int, int]]:
    librarian, ada, ben = people
    seen = set()
    book = await title(librarian)
    for _ in range(rounds):
        loan = await lent(ada, book["id"])
        clock.advance(days=3)
        path = f"/v1/loans/{loan['id']}"
        back, renewed, hold = await asyncio.gather(
            ada.post(f"{path}/return"), ada.post(f"{path}/renewal"), ben.post("/v1/holds", {"book_id": book["id"]})
        )
        seen.add((back.status, renewed.status, hold.status))
        assert (back.status, hold.status) == (200, 201)
        # Renewed before it came back and before somebody waited, or not at all.
        assert renewed.status == 200 or renewed.code in {"library.loan_state", "library.held"}
        assert (await ben.get(f"/v1/holds/{hold.json['id']}")).json["status"] == "ready"
        assert (await ada.get(path)).json["renewals"] == (1 if renewed.status == 200 else 0)
        await one_truth(librarian, book)
        await returned(ben, await lent(ben, book["id"]))
    return seen


class TestReturnRenewAndHold:
    async def test_X07_at_one_moment_leave_one_truth(self, people: tuple[Person, Person, Person], clock: Clock) -> None:
        await return_renew_and_hold(people, clock, SOME_ROUNDS)

    @pytest.mark.faults
    @pytest.mark.timeout(600)
    async def test_X07_at_one_moment_two_hundred_times(
        self, people: tuple[Person, Person, Person], clock: Clock
    ) -> None:
        await return_renew_and_hold(people, clock, MANY_ROUNDS)


class TestQueue:
    async def test_keeps_its_order_while_some_come_and_some_go(
        self, real_stage: Stage, people: tuple[Person, Person, Person]
    ) -> None:
        librarian, ada, _ = people
        book = await title(librarian)
        loan = await lent(ada, book["id"])
        crowd = [await person(real_stage, "patron") for _ in range(10)]
        holds = [await held(each, book["id"]) for each in crowd[:5]]
        leaving = [each.delete(f"/v1/holds/{hold['id']}") for each, hold in zip(crowd[:5:2], holds[::2], strict=True)]
        coming = [each.post("/v1/holds", {"book_id": book["id"]}) for each in crowd[5:]]
        answers = await asyncio.gather(*leaving, *coming, ada.post(f"/v1/loans/{loan['id']}/return"))
        assert {answer.status for answer in answers} == {200, 201, 204}
        await one_truth(librarian, book)


class TestPaying:
    async def test_once_at_two_desks(self, people: tuple[Person, Person, Person], clock: Clock) -> None:
        librarian, ada, _ = people
        await rule(librarian, fine_amount=20)
        loan = await lent(ada, (await title(librarian))["id"])
        clock.advance(days=20)
        await returned(ada, loan)
        (fine,) = (await ada.get("/v1/fines")).json["items"]
        whole = {"fine_id": fine["id"], "amount": fine["amount"]}
        answers = await asyncio.gather(*(librarian.post("/v1/payments", whole) for _ in range(4)))
        assert sorted_codes(answers) == [""] + ["library.overpaid"] * 3


class TestRegistering:
    async def test_A11_one_address_gives_one_account_and_one_card(
        self, real_stage: Stage, people: tuple[Person, Person, Person]
    ) -> None:
        draft = {"email": "eva@library.example", "password": "seven green umbrellas", "full_name": "Eva Lund"}
        nobody = Person(real_stage.client())
        answers = await asyncio.gather(*(nobody.post("/v1/users", draft) for _ in range(4)))
        assert sorted_codes(answers) == [""] + ["identity.email_taken"] * 3
        found = (await people[0].get("/v1/desk/patrons?q=eva@library.example")).json
        assert [each["full_name"] for each in found] == ["Eva Lund"]
