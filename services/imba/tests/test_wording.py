"""Languages: every phrase is there in each, and people are told things in their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from freehold import system
from freehold.testing import Stage
from freehold.wording import untranslated

from .. import service
from ..users.models import User
from ..wording import CATALOGUES, LANGUAGES
from .world import Person, listed, stay

pytestmark = pytest.mark.anyio
ROOT = Path(service.__file__).parent
ADA = {"email": "ada@imba.example", "password": "seven green umbrellas", "full_name": "Ada Okafor", "account": "tenant"}
Mails = Callable[[str], Awaitable[list[dict[str, Any]]]]


def test_every_language_has_a_catalogue() -> None:
    assert CATALOGUES.languages == ("en", *sorted(set(LANGUAGES) - {"en"}))


def test_every_phrase_is_there_with_its_values() -> None:
    assert untranslated(CATALOGUES, ROOT) == []


class TestAccount:
    @pytest.mark.parametrize(
        ("asked", "given", "found"),
        [
            ("de-AT,en;q=0.5", {}, "de"),
            ("fr", {}, None),
            ("", {}, None),
            ("de", {"language": "es"}, "es"),
        ],
    )
    async def test_registers_with_the_language_of_its_browser(
        self, anonymous: Person, mails: Mails, asked: str, given: dict[str, str], found: str | None
    ) -> None:
        answer = await anonymous.post("/v1/users", ADA | given, Accept_Language=asked)
        assert (answer.status, answer.json["language"]) == (201, found)
        subjects = {"de": "Bestätigen Sie", "es": "Confirme", None: "Confirm your"}
        assert subjects[found] in (await mails(ADA["email"]))[0]["subject"]

    async def test_changes_it_and_not_to_one_that_there_is_none_of(self, tenant: Person) -> None:
        assert (await tenant.patch("/v1/users/me", {"language": "es"})).json["language"] == "es"
        assert (await tenant.patch("/v1/users/me", {"full_name": "Ben"})).json["language"] == "es"
        assert (await tenant.patch("/v1/users/me", {"language": None})).json["language"] is None
        wrong = await tenant.patch("/v1/users/me", {"language": "tlh"})
        assert (wrong.status, wrong.pointers) == (422, ["/language"])


class TestNotice:
    async def test_is_in_the_language_of_each_side(
        self, landlord: Person, reviewer: Person, tenant: Person, mails: Mails
    ) -> None:
        await landlord.patch("/v1/users/me", {"language": "de"})
        await tenant.patch("/v1/users/me", {"language": "es"})
        home = await listed(landlord, reviewer, price_amount=123456, price_currency="EUR")
        booked = await tenant.made("/v1/reservations", stay(home["id"], check_in="2026-03-01", check_out="2026-03-03"))
        await landlord.made(f"/v1/reservations/{booked['id']}/confirmation")
        told = (await landlord.get("/v1/notices?kind=reservation")).json["items"][0]
        assert told["subject"] == "Anfrage für einen Aufenthalt"
        assert told["text"].split("\n\n")[1:] == [
            "Vom 1. März 2026 bis zum 3. März 2026, Gäste: 2.",
            "Gesamtpreis: 2.469,12\xa0€.",
        ]
        letter = (await mails(tenant.email))[-1]
        assert (letter["subject"], letter["language"]) == ("Imba: Su estancia está confirmada", "es")
        assert "Del 1 de marzo de 2026 al 3 de marzo de 2026" in letter["text"]
        assert "Abrir: " in letter["text"]
        assert 'lang="es"' in letter["html"]


async def test_who_leaves_takes_the_language_along(stage: Stage, tenant: Person) -> None:
    await tenant.patch("/v1/users/me", {"language": "de"})
    assert (await tenant.delete("/v1/users/me")).status == 204
    async with stage.database.reading(system("look")) as db:
        assert (await db.get_one(User, UUID(tenant.id))).language is None
