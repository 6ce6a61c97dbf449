"""The language of a page: that of the account, or the first that the browser asks for, of those that there are."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request

from freehold.identity.languages import preferred
from freehold.wording import Catalogues, Moment, Phrase, Words

FOLDER = Path(__file__).parent / "wording"
_STATE = "fh_page_language"
# As each calls itself: whoever looks for theirs reads no other.
NAMES = {"en": "English", "de": "Deutsch", "es": "Español"}


class PageWords:
    """One language, for templates."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self.language = words.language

    def say(self, said: Phrase | str) -> str:
        """A phrase in this language; text as it is."""
        return self._words.say(said)

    def phrase(self, text: str, **values: Any) -> str:
        """An English sentence of a template, in this language."""
        return self._words.say(Phrase(text, values))

    def day(self, instant: datetime | None) -> str:
        """An instant, in UTC: without a script nobody knows the reader's clock."""
        return "" if instant is None else self._words.say(Phrase("{when}", {"when": Moment(instant, "UTC")}))


@cache
def catalogues() -> Catalogues:
    """Those that the package brings."""
    return Catalogues(FOLDER)


def languages() -> tuple[str, ...]:
    """Their tags, English first."""
    return catalogues().languages


def reads(request: Request, language: str | None) -> None:
    """Remember for this request which language its account reads, where it says so."""
    if language:
        request.scope.setdefault("state", {})[_STATE] = preferred(language, languages())


def words_for(request: Request) -> PageWords:
    """The words of the page that answers this request."""
    held: str | None = request.scope.setdefault("state", {}).get(_STATE)
    asked = held or preferred(request.headers.get("accept-language", ""), languages())
    return PageWords(catalogues().words(asked))
