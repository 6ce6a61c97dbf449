"""Colours that can be read, and words in each language."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.errors import ConfigurationError
from freehold.identity import Pages
from freehold.web import pages
from freehold.web.pages.languages import catalogues
from freehold.web.pages.theme import DARK_CARD, DARK_PAPER, LIGHT_CARD, LIGHT_PAPER, READABLE, contrast, shades
from freehold.wording import untranslated

COLORS = [
    f"#{red:02x}{green:02x}{blue:02x}" for red in (0, 128, 255) for green in (0, 77, 255) for blue in (0, 128, 255)
]


@pytest.mark.parametrize("dark", [False, True])
def test_any_colour_becomes_one_that_can_be_read(dark: bool) -> None:
    papers = (DARK_PAPER, DARK_CARD) if dark else (LIGHT_PAPER, LIGHT_CARD)
    for color in COLORS:
        found = shades(color, dark=dark)
        assert all(contrast(found.brand, paper) >= READABLE for paper in papers), color
        assert contrast(found.on_brand, found.brand) >= READABLE, color


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert shades("#1f5f8b", dark=False).brand == "#1f5f8b"
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("given", [{"color": "red"}, {"color": "#fff"}, {"home": "//evil"}, {"home": "https://evil"}])
def test_a_wrong_declaration_is_told(given: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Pages(**given)


def test_every_phrase_is_there_in_every_language() -> None:
    assert catalogues().languages[:2] == ("en", "de")
    assert untranslated(catalogues(), Path(pages.__file__).parent) == []
