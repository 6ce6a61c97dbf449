"""Catalogues of translations, and what a phrase reads like in one language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from freehold.errors import ConfigurationError
from freehold.wording.phrases import Moment, Money, Paragraphs, Phrase

try:
    from babel import Locale, UnknownLocaleError
    from babel.dates import format_date, format_datetime
    from babel.messages.pofile import PoFileError, read_po
    from babel.numbers import format_currency, format_decimal, get_currency_precision
except ImportError:
    raise ConfigurationError('catalogues of phrases need the package Babel: pip install "freehold[wording]"') from None


class Words:
    """One language. messages: English text -> text of the language."""

    def __init__(self, language: str, messages: Mapping[str, str]) -> None:
        self.language = language
        self.messages = messages
        self._locale = Locale.parse(language, sep="-")

    def say(self, said: Phrase | Paragraphs | str) -> str:
        """The text. A phrase that the catalogue lacks is said in English, its values in the manner of the language.

        Raises KeyError for a `{name}` without a value.
        """
        if isinstance(said, Paragraphs):
            return "\n\n".join(self.say(part) for part in said.parts)
        if isinstance(said, str):
            return said
        shown = {name: self._show(value) for name, value in said.values.items()}
        return (self.messages.get(said.text) or said.text).format_map(shown)

    def _show(self, value: Any) -> str:
        match value:
            case Phrase() | Paragraphs():
                return self.say(value)
            case Money(amount, currency):
                units = Decimal(amount).scaleb(-get_currency_precision(currency))
                return format_currency(units, currency, locale=self._locale)
            case Moment(instant, zone):
                return format_datetime(instant, "long", tzinfo=ZoneInfo(zone), locale=self._locale)
            case datetime():
                raise TypeError("an instant is told by the clock of a place: phrase(..., at=Moment(instant, zone))")
            case date():
                return format_date(value, "long", locale=self._locale)
            case int() | float() | Decimal():
                return format_decimal(value, locale=self._locale)
            case _:
                return str(value)


class Catalogues:
    """The languages of an application: English, and one for each `<language>.po` of a folder.

    Raises ConfigurationError for a file that is no catalogue, or whose name is no language.
    """

    def __init__(self, folder: Path) -> None:
        self._words = {"en": Words("en", {})}
        for file in sorted(folder.glob("*.po")):
            self._words[file.stem] = _read(file)

    @property
    def languages(self) -> tuple[str, ...]:
        """Their tags, English first."""
        return tuple(self._words)

    def words(self, language: str | None) -> Words:
        """The language, or English where there is no such catalogue."""
        return self._words.get(language or "en", self._words["en"])


def _read(file: Path) -> Words:
    try:
        with file.open("rb") as opened:
            found = read_po(opened, abort_invalid=True)
        messages = {
            each.id: each.string
            for each in found
            if isinstance(each.id, str) and isinstance(each.string, str) and each.id and not each.fuzzy
        }
        return Words(file.stem, messages)
    except (PoFileError, UnknownLocaleError, ValueError) as error:
        raise ConfigurationError(f"{file}: {error}") from error
