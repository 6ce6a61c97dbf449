"""The language of a page, of those that there are.

The account's; else the one that was chosen at the foot of a page of this browser; else the first that it asks for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from freehold.identity.languages import preferred
from freehold.web.browser import identity_of
from freehold.wording import Catalogues, Moment, Phrase, Words

FOLDER = Path(__file__).parent / "wording"
_STATE = "fh_page_language"
COOKIE = "__Host-fh_language"
_KEPT = timedelta(days=365)
# As each calls itself: whoever looks for theirs reads no other.
NAMES = {"en": "English", "de": "Deutsch", "es": "Español"}


class PageWords:
    """One language, for templates. own: that of the service, whose words come first."""

    def __init__(self, words: Words, own: Words | None = None) -> None:
        self._words, self._own = words, own
        self.language = words.language

    def say(self, said: Phrase | str) -> str:
        """A phrase in this language; text as it is."""
        own = self._own
        if own is not None and isinstance(said, Phrase) and said.text in own.messages:
            return own.say(said)
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


def choices(request: Request) -> list[tuple[str, str]]:
    """The other languages that a page offers at its foot, each as it calls itself; none where the account says which."""
    if _of_account(request) is not None:
        return []
    shown = words_for(request).language
    return [(tag, NAMES.get(tag, tag)) for tag in languages() if tag != shown]


def keep(response: Response, language: str) -> None:
    """Have the browser remember a choice, for a year; one that is not there is not kept."""
    if language in languages():
        seconds = int(_KEPT.total_seconds())
        response.set_cookie(
            COOKIE, language, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax"
        )  # fmt: skip


def wish(request: Request) -> str:
    """What somebody would rather read, as an Accept-Language header says it: what was chosen here counts first."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in languages() else request.headers.get("accept-language", "")


def words_for(request: Request) -> PageWords:
    """The words of the page that answers this request."""
    language = _of_account(request) or preferred(wish(request), languages())
    pages = identity_of(request).pages
    own = None if pages is None or pages.words is None else pages.words.words(language)
    return PageWords(catalogues().words(language), own)


def _of_account(request: Request) -> str | None:
    held: str | None = request.scope.setdefault("state", {}).get(_STATE)
    return held
