"""The queue: who is next, what is set aside for whom, and for how long."""

from __future__ import annotations

import pytest

from freehold.testing import Clock, Person, Stage

from ..holds.jobs import expire_holds
from .conftest import person
from .shelves import a_copy, held, lent, letters, returned, rule, run, title

pytestmark = pytest.mark.anyio


async def positions(librarian: Person, book_id: str) -> dict[str, int | None]:
    page = await librarian.get(f"/v1/holds?book_id={book_id}&limit=100")
    return {hold["patron_id"]: hold["position"] for hold in page.json["items"]}


class TestQueue:
    async def test_keeps_its_order_whoever_leaves(self, stage: Stage, ada: Person, librarian: Person) -> None:
        book = await title(librarian)
        await lent(ada, book["id"])
        people = [await person(stage, "patron") for _ in range(4)]
        holds = [await held(each, book["id"]) for each in people]
        assert [hold["position"] for hold in holds] == [1, 2, 3, 4]
        assert (await people[1].delete(f"/v1/holds/{holds[1]['id']}")).status == 204
        assert (await people[1].delete(f"/v1/holds/{holds[1]['id']}")).status == 404
        assert await positions(librarian, book["id"]) == {people[0].id: 1, people[2].id: 2, people[3].id: 3}
        assert (await people[0].get(f"/v1/holds/{holds[2]['id']}")).status == 404
        assert (await librarian.get(f"/v1/books/{book['id']}/availability")).json["waiting"] == 3

    async def test_a_copy_on_the_shelf_is_set_aside_at_once(self, ada: Person, librarian: Person) -> None:
        book = await title(librarian)
        hold = await held(ada, book["id"])
        assert (hold["status"], hold["position"]) == ("ready", None)
        assert (await ada.get("/v1/books?available=true")).json["items"] == []
        await rule(librarian, on_shelf_holds=False)
        other = await title(librarian, title="Emma")
        assert (await ada.post("/v1/holds", {"book_id": other["id"]})).code == "library.on_shelf"

    async def test_a_new_copy_goes_to_whoever_waits(self, ada: Person, ben: Person, librarian: Person) -> None:
        book = await title(librarian)
        await lent(ada, book["id"])
        hold = await held(ben, book["id"])
        copy = await a_copy(librarian, book["id"])
        assert copy["status"] == "on_hold"
        assert (await ben.get(f"/v1/holds/{hold['id']}")).json["copy_id"] == copy["id"]

    async def test_what_one_has_or_holds_is_not_held_again(self, ada: Person, ben: Person, librarian: Person) -> None:
        book = await title(librarian)
        await lent(ada, book["id"])
        assert (await ada.post("/v1/holds", {"book_id": book["id"]})).code == "library.on_loan_to_you"
        await held(ben, book["id"])
        assert (await ben.post("/v1/holds", {"book_id": book["id"]})).code == "library.held_already"

    async def test_as_many_as_the_rules_say(self, ada: Person, librarian: Person) -> None:
        await rule(librarian, hold_limit=1)
        first, second = await title(librarian), await title(librarian, title="Emma")
        await held(ada, first["id"])
        refused = await ada.post("/v1/holds", {"book_id": second["id"]})
        assert (refused.status, refused.code) == (409, "library.hold_limit")

    async def test_of_one_copy_where_the_rules_allow_it(self, ada: Person, ben: Person, librarian: Person) -> None:
        book = await title(librarian, copies=2)
        loans = [await lent(ada, book["id"]), await lent(ben, book["id"])]
        wanted = {"copy_id": loans[0]["copy_id"], "patron_id": librarian.id}
        assert (await librarian.post("/v1/holds", wanted)).code == "library.no_item_holds"
        await rule(librarian, item_level_holds=True)
        hold = await librarian.made("/v1/holds", wanted)
        await returned(ben, loans[1])
        assert (await librarian.get(f"/v1/holds/{hold['id']}")).json["status"] == "waiting"
        await returned(ada, loans[0])
        assert (await librarian.get(f"/v1/holds/{hold['id']}")).json["status"] == "ready"


class TestReady:
    async def test_runs_out_and_goes_to_the_next(
        self, ada: Person, ben: Person, cleo: Person, librarian: Person, clock: Clock, stage: Stage
    ) -> None:
        book = await title(librarian)
        loan = await lent(ada, book["id"])
        first, second = await held(ben, book["id"]), await held(cleo, book["id"])
        await returned(ada, loan)
        assert (await ben.get(f"/v1/holds/{first['id']}")).json["expires_at"] == "2026-01-13T00:00:00Z"
        clock.advance(days=8)
        for _ in range(2):
            await run(stage, expire_holds)
        assert (await ben.get(f"/v1/holds/{first['id']}")).json["status"] == "expired"
        assert (await cleo.get(f"/v1/holds/{second['id']}")).json["status"] == "ready"
        assert await letters(stage, ben.email) == ["Library: Ready: Dune", "Library: Not fetched: Dune"]
        assert await letters(stage, cleo.email) == ["Library: Ready: Dune"]

    async def test_given_up_goes_to_the_next(self, ada: Person, ben: Person, librarian: Person) -> None:
        book = await title(librarian)
        first, second = await held(ada, book["id"]), await held(ben, book["id"])
        assert (await ada.delete(f"/v1/holds/{first['id']}")).status == 204
        assert (await ben.get(f"/v1/holds/{second['id']}")).json["status"] == "ready"

    async def test_is_sent_to_the_library_where_it_is_fetched(
        self, ada: Person, ben: Person, librarian: Person
    ) -> None:
        branch = await librarian.made("/v1/libraries", {"name": "Harbour"})
        book = await title(librarian)
        loan = await lent(ada, book["id"])
        hold = await held(ben, book["id"], pickup_id=branch["id"])
        await returned(ada, loan)
        copy = (await ada.get(f"/v1/copies/{loan['copy_id']}")).json
        assert (copy["status"], copy["library_id"]) == ("in_transit", branch["id"])
        assert (await ben.post("/v1/loans", {"book_id": book["id"]})).code == "library.no_copy"
        assert (await librarian.post(f"/v1/copies/{copy['id']}/arrival")).json["status"] == "on_hold"
        assert (await ben.get(f"/v1/holds/{hold['id']}")).json["status"] == "ready"
        await lent(ben, book["id"])
