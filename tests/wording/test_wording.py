"""Phrases in the language of whoever reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from freehold.errors import ConfigurationError
from freehold.wording import Catalogues, Moment, Money, paragraphs, phrase

GERMAN = r"""
msgid "From {start} to {end}."
msgstr "Vom {start} bis zum {end}."

msgid "It costs {price}."
msgstr "Es kostet {price}."

#, fuzzy
msgid "Guests: {count}."
msgstr "Geister: {count}."

msgid "At {moment}: {news}"
msgstr "{news} ({moment})"
"""
DAYS = phrase("From {start} to {end}.", start=date(2026, 3, 1), end=date(2026, 3, 4))


@pytest.fixture(scope="module")
def catalogues(tmp_path_factory: pytest.TempPathFactory) -> Catalogues:
    folder = tmp_path_factory.mktemp("wording")
    (folder / "de.po").write_text(GERMAN, encoding="utf-8")
    return Catalogues(folder)


def test_a_phrase_is_said_in_each_language_and_in_english_where_there_is_none(catalogues: Catalogues) -> None:
    assert catalogues.languages == ("en", "de")
    assert catalogues.words("de").say(DAYS) == "Vom 1. März 2026 bis zum 4. März 2026."
    assert catalogues.words("en").say(DAYS) == "From March 1, 2026 to March 4, 2026."
    assert catalogues.words("fr").say(DAYS) == catalogues.words(None).say(DAYS) == catalogues.words("en").say(DAYS)


@pytest.mark.parametrize(
    ("amount", "currency", "english", "german"),
    [
        (123456, "EUR", "€1,234.56", "1.234,56\xa0€"),
        (1234, "JPY", "¥1,234", "1.234\xa0¥"),  # no minor unit
        (1234567, "KWD", "KWD1,234.567", "1.234,567\xa0KWD"),  # three decimals
    ],
)
def test_money_has_the_decimals_of_its_currency(
    catalogues: Catalogues, amount: int, currency: str, english: str, german: str
) -> None:
    costs = phrase("It costs {price}.", price=Money(amount, currency))
    assert catalogues.words("en").say(costs) == f"It costs {english}."
    assert catalogues.words("de").say(costs) == f"Es kostet {german}."


def test_an_instant_is_told_by_the_clock_of_a_place(catalogues: Catalogues) -> None:
    moment = Moment(datetime(2026, 7, 1, 10, tzinfo=UTC), "Europe/Berlin")
    told = phrase("At {moment}: {news}", moment=moment, news=DAYS)
    assert "12:00" in catalogues.words("de").say(told)
    assert catalogues.words("de").say(told).startswith("Vom 1. März")
    with pytest.raises(TypeError, match="Moment"):
        catalogues.words("de").say(phrase("At {at}", at=moment.instant))


def test_what_nobody_has_looked_at_is_said_in_english_with_the_numbers_of_the_language(catalogues: Catalogues) -> None:
    assert catalogues.words("de").say(phrase("Guests: {count}.", count=1200)) == "Guests: 1.200."


def test_words_of_people_are_shown_as_they_are(catalogues: Catalogues) -> None:
    said = paragraphs(phrase("At {moment}: {news}", moment="", news="{start} {0}"), "", "a {b}")
    assert catalogues.words("en").say(said) == "At : {start} {0}\n\na {b}"


@pytest.mark.parametrize(("name", "content"), [("de", 'msgid "a'), ("xx", GERMAN), ("no-such-language-at-all", GERMAN)])
def test_what_is_no_catalogue_stops_the_start(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / f"{name}.po").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=name):
        Catalogues(tmp_path)
