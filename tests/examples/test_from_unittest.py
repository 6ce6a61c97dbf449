"""The page on unittest shows these two halves; both run, and say the same."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "from-unittest.md"


class Basket:
    """Titles with their prices in minor units."""

    def __init__(self, prices: list[tuple[str, int]]) -> None:
        self._prices = dict(prices)

    def price(self, title: str) -> int:
        return self._prices[title]

    def total(self, *, discount: int = 0) -> int:
        return sum(self._prices.values()) * (100 - discount) // 100


# fmt: off
class TestPrice(unittest.TestCase):
    def setUp(self):
        self.basket = Basket([("Emma", 1200), ("Dune", 900)])

    def test_total(self):
        self.assertEqual(self.basket.total(), 2100)  # noqa: PT009  # the way that the page leads away from

    def test_unknown_title(self):
        with self.assertRaisesRegex(KeyError, "Ulysses"):  # noqa: PT027
            self.basket.price("Ulysses")

    def test_discounts(self):
        for percent, expected in [(0, 2100), (50, 1050)]:
            with self.subTest(percent=percent):
                self.assertEqual(self.basket.total(discount=percent), expected)  # noqa: PT009
# fmt: on


@pytest.fixture
def basket() -> Basket:
    return Basket([("Emma", 1200), ("Dune", 900)])


def test_total(basket: Basket) -> None:
    assert basket.total() == 2100


def test_unknown_title(basket: Basket) -> None:
    with pytest.raises(KeyError, match="Ulysses"):
        basket.price("Ulysses")


@pytest.mark.parametrize(("percent", "expected"), [(0, 2100), (50, 1050)])
def test_discounts(basket: Basket, percent: int, expected: int) -> None:
    assert basket.total(discount=percent) == expected


def test_the_page_shows_this_file() -> None:
    here = re.sub(r"  # noqa.*", "", Path(__file__).read_text(encoding="utf-8"))
    shown = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert len(shown) == 2
    assert all(block in here for block in shown)
