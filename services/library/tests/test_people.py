"""Accounts, cards, the desk, reading histories, and leaving."""

from __future__ import annotations

from uuid import UUID

import pytest

from freehold.fields import now
from freehold.testing import Clock, Person, Stage

from ..loans import jobs
from ..patrons import cards
from .shelves import a_copy, held, lent, returned, rule, run, title

pytestmark = pytest.mark.anyio
EVA = {"email": "eva@library.example", "password": "seven green umbrellas", "full_name": "Eva Ñandú"}


class TestRegistering:
    async def test_gives_a_card_and_the_role_of_a_patron(self, anonymous: Person, librarian: Person) -> None:
        made = await anonymous.made("/v1/users", EVA)
        assert (made["roles"], "password" in str(made)) == (["patron"], False)
        form = {"grant_type": "password", "username": EVA["email"], "password": EVA["password"]}
        token = (await anonymous.client.post("/v1/auth/token", data=form)).json()["access_token"]
        card = (await anonymous.get(f"/v1/patrons/{made['id']}", Authorization=f"Bearer {token}")).json
        assert cards.is_valid(card["card_number"])
        assert (card["category"], card["expires_on"], card["keeps_history"]) == ("adult", "2027-01-05", False)
        taken = await anonymous.post("/v1/users", EVA | {"email": "EVA@library.example"})
        assert (taken.status, taken.code) == (409, "identity.email_taken")

    def test_card_numbers_have_a_check_digit(self) -> None:
        number = cards.new()
        assert cards.is_valid(number)
        wrong = [
            number[:place] + str((int(digit) + 1) % 10) + number[place + 1 :] for place, digit in enumerate(number)
        ]
        assert not any(map(cards.is_valid, wrong))


class TestDesk:
    async def test_by_barcode_and_card(self, ada: Person, ben: Person, librarian: Person) -> None:
        book = await title(librarian, copies=0)
        copy = await a_copy(librarian, book["id"])
        card = (await ada.get(f"/v1/patrons/{ada.id}")).json["card_number"]
        scanned = {"barcode": copy["barcode"], "card_number": card}
        assert (await ada.post("/v1/desk/checkouts", scanned)).status == 403
        loan = await librarian.made("/v1/desk/checkouts", scanned)
        assert loan["patron_id"] == ada.id
        twice = await librarian.post("/v1/desk/checkouts", scanned)
        assert (twice.status, twice.code) == (409, "library.no_copy")
        hold = await held(ben, book["id"])
        seen = (await librarian.get(f"/v1/desk/patrons/{card}")).json
        assert ([each["id"] for each in seen["loans"]], seen["owed"], seen["blocks"]) == ([loan["id"]], 0, [])
        back = await librarian.made("/v1/desk/checkins", {"barcode": copy["barcode"]})
        assert (back["next_step"], back["loan"]["status"], back["hold"]["id"]) == ("set_aside", "returned", hold["id"])
        again = await librarian.made("/v1/desk/checkins", {"barcode": copy["barcode"]})
        assert (again["next_step"], again["loan"]) == ("set_aside", None)

    async def test_at_another_library(self, ada: Person, librarian: Person) -> None:
        branch = await librarian.made("/v1/libraries", {"name": "Harbour"})
        copy = await a_copy(librarian, (await title(librarian, copies=0))["id"])
        await ada.made("/v1/loans", {"copy_id": copy["id"]})
        scanned = {"barcode": copy["barcode"], "library_id": branch["id"]}
        back = await librarian.made("/v1/desk/checkins", scanned)
        assert (back["next_step"], back["copy"]["library_id"]) == ("shelve", branch["id"])
        nowhere = scanned | {"library_id": "0190b0a0-0000-7000-8000-000000000000"}
        assert (await librarian.post("/v1/desk/checkins", nowhere)).pointers == ["/library_id"]

    async def test_what_is_found(self, cleo: Person, librarian: Person, ada: Person) -> None:
        for asked in ("cleo nan", "CLEO", cleo.email.upper()):
            found = (await librarian.get(f"/v1/desk/patrons?q={asked}")).json
            assert [each["id"] for each in found] == [cleo.id], asked
        assert (await librarian.get("/v1/desk/patrons?q=%25%25")).json == []
        assert (await ada.get("/v1/desk/patrons?q=cleo")).status == 403
        for number in ("20000000000000", cards.new()):
            assert (await librarian.get(f"/v1/desk/patrons/{number}")).status == 404
        assert (await librarian.post("/v1/desk/checkins", {"barcode": "nothing"})).status == 404

    async def test_a_report(self, ada: Person, librarian: Person) -> None:
        book = await title(librarian)
        await returned(ada, await lent(ada, book["id"]))
        report = (await librarian.get("/v1/reports/circulation?from=2026-01-01&to=2026-02-01")).json
        assert (report["loans"], report["returns"], report["copies"]) == (1, 1, {"available": 1})
        assert report["most_lent"] == [{"book_id": book["id"], "title": "Dune", "loans": 1}]
        wrong = await librarian.get("/v1/reports/circulation?from=2026-02-01&to=2026-01-01")
        assert (wrong.status, wrong.json["errors"][0]["parameter"]) == (422, "to")
        assert (await ada.get("/v1/reports/circulation?from=2026-01-01&to=2026-02-01")).status == 403


class TestReadingHistory:
    async def test_is_forgotten_unless_it_is_wanted(
        self, ada: Person, ben: Person, librarian: Person, clock: Clock, stage: Stage
    ) -> None:
        book = await title(librarian)
        kept = await ben.put(f"/v1/patrons/{ben.id}/reading-history", {"keep": True})
        assert (kept.status, kept.json["keeps_history"]) == (200, True)
        assert (await librarian.put(f"/v1/patrons/{ada.id}/reading-history", {"keep": True})).status == 403
        for each in (ada, ben):
            await returned(each, await lent(each, book["id"]))
        clock.advance(days=15)
        await run(stage, jobs.forget)
        assert (await ada.get("/v1/loans?count=true")).json["total"] == 0
        assert (await ben.get("/v1/loans?count=true")).json["total"] == 1
        assert (await librarian.get("/v1/loans?count=true")).json["total"] == 2
        await ben.put(f"/v1/patrons/{ben.id}/reading-history", {"keep": False})
        assert (await ben.get("/v1/loans?count=true")).json["total"] == 0
        assert (await librarian.get(f"/v1/books/{book['id']}")).json["times_borrowed"] == 2


def just_logged_in(stage: Stage, person: Person) -> Person:
    return Person(stage.as_user(id=UUID(person.id), authenticated_at=now()), id=person.id, email=person.email)


class TestLeaving:
    async def test_after_what_is_open_is_settled(
        self, ada: Person, ben: Person, librarian: Person, clock: Clock, stage: Stage
    ) -> None:
        await rule(librarian, fine_amount=20)
        book, other = await title(librarian), await title(librarian, title="Emma")
        loan, hold = await lent(ada, book["id"]), await held(ada, other["id"])
        waiting = await held(ben, other["id"])
        exported = (await ada.get("/v1/users/me/export")).json
        assert ([each["id"] for each in exported["loans"]], [each["id"] for each in exported["holds"]]) == (
            [loan["id"]],
            [hold["id"]],
        )
        assert (await ada.delete("/v1/users/me")).code == "auth.insufficient_user_authentication"
        assert (await just_logged_in(stage, ada).delete("/v1/users/me")).code == "library.not_settled"
        clock.advance(days=15)
        await returned(ada, loan)
        leaving = just_logged_in(stage, ada)
        assert (await leaving.delete("/v1/users/me")).code == "library.not_settled"
        (fine,) = (await ada.get("/v1/fines")).json["items"]
        await librarian.made("/v1/payments", {"fine_id": fine["id"], "amount": fine["balance_amount"]})
        assert (await leaving.delete("/v1/users/me")).status == 204
        assert (await ben.get(f"/v1/holds/{waiting['id']}")).json["status"] == "ready"
        assert (await librarian.get(f"/v1/loans/{loan['id']}")).json["patron_id"] is None
