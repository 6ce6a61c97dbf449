"""Colours that can be read."""

from __future__ import annotations

import pytest

from freehold.errors import ConfigurationError
from freehold.identity import Pages
from freehold.web.pages.theme import DARK_CARD, DARK_PAPER, LIGHT_CARD, LIGHT_PAPER, READABLE, contrast, shades

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
