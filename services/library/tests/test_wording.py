"""Languages: every phrase is there in each, and patrons are told things in their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.testing import Clock, Person, Stage
from freehold.wording import untranslated

from .. import service
from ..loans import jobs
from ..wording import CATALOGUES, LANGUAGES
from .shelves import lent, letters, run, title

pytestmark = pytest.mark.anyio


def test_every_phrase_is_there_in_every_language() -> None:
    assert CATALOGUES.languages == ("en", *sorted(set(LANGUAGES) - {"en"}))
    assert untranslated(CATALOGUES, Path(service.__file__).parent) == []


async def test_a_patron_is_told_in_the_language_of_the_account(
    ada: Person, librarian: Person, clock: Clock, stage: Stage
) -> None:
    assert (await ada.patch("/v1/users/me", {"language": "tlh"})).status == 422
    assert (await ada.patch("/v1/users/me", {"language": "de"})).json["language"] == "de"
    await lent(ada, (await title(librarian))["id"])
    clock.advance(days=13)
    await run(stage, jobs.remind)
    assert await letters(stage, ada.email) == ["Library: Dune: bald fällig"]
    (notice,) = (await ada.get("/v1/notices")).json["items"]
    assert notice["subject"] == "Dune: bald fällig"
    assert notice["text"].startswith("Dune ist am ")
