"""Signed places, and the addresses that carry them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from freehold.errors import BadRequest
from freehold.query.cursor import END, START, Cursors, Position
from freehold.query.fields import Kind
from freehold.query.links import page_links
from freehold.resource.principal import ANONYMOUS, Principal, system

CURSORS = Cursors(b"k" * 16)
KINDS = (Kind.TEXT, Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.DATE, Kind.INSTANT, Kind.NAIVE_INSTANT, Kind.UUID)
VALUES = (
    "naïve \u2603",
    -(2**63),
    Decimal("1.50"),
    0.1 + 0.2,
    date(2024, 2, 29),
    datetime(2026, 1, 1, 2, 3, 4, 5, tzinfo=UTC),
    datetime(2026, 1, 1),  # noqa: DTZ001 (what a column without a zone holds)
    UUID(int=7),
)
BOUND: dict[str, Any] = {"resource": "books", "principal": Principal(id=UUID(int=1)), "digest": "d"}


@pytest.mark.parametrize("direction", ["after", "before"])
def test_a_place_comes_back_typed(direction):
    place = Position(direction, VALUES)
    opened = CURSORS.open(CURSORS.seal(place, **BOUND), kinds=KINDS, **BOUND)
    assert opened == place
    assert [type(each) for each in opened.values] == [type(each) for each in VALUES]


def test_null_and_the_ends_come_back():
    for place in (START, END, Position("after", (None, None))):
        assert CURSORS.open(CURSORS.seal(place, **BOUND), kinds=(Kind.INTEGER, Kind.UUID), **BOUND) == place


def test_V07_an_altered_cursor_is_400_at_every_character():
    text = CURSORS.seal(Position("after", (1, UUID(int=2))), **BOUND)
    for place in range(len(text)):
        for other in {"A", "B", "_", "-", "z", "9"} - {text[place]}:
            with pytest.raises(BadRequest) as refused:
                CURSORS.open(text[:place] + other + text[place + 1 :], kinds=(Kind.INTEGER, Kind.UUID), **BOUND)
            assert refused.value.problem_code == "query.bad_cursor"
    for wrong in (text + "=", text[:-1], text + "A", "", " " + text, text + "\n"):
        with pytest.raises(BadRequest):
            CURSORS.open(wrong, kinds=(Kind.INTEGER, Kind.UUID), **BOUND)


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda raw: raw.hex()))
@example("A" * 100_000)
@example("é")
@settings(max_examples=200)
def test_V07_any_text_is_400(text):
    with pytest.raises(BadRequest):
        CURSORS.open(text, kinds=(Kind.UUID,), **BOUND)


@pytest.mark.parametrize(
    "other",
    [
        {"resource": "authors"},
        {"digest": "e"},
        {"principal": Principal(id=uuid4())},
        {"principal": ANONYMOUS},
        {"principal": system("report")},
    ],
)
def test_Z03_a_cursor_serves_one_caller_one_list_and_one_question(other):
    text = CURSORS.seal(Position("after", (UUID(int=2),)), **BOUND)
    with pytest.raises(BadRequest):
        CURSORS.open(text, kinds=(Kind.UUID,), **(BOUND | other))


def test_another_key_is_another_service():
    text = CURSORS.seal(START, **BOUND)
    with pytest.raises(BadRequest):
        Cursors(b"l" * 16).open(text, kinds=(Kind.UUID,), **BOUND)
    with pytest.raises(ValueError, match="16 bytes"):
        Cursors(b"short")


def test_N02_links_repeat_the_question():
    params = [("q", 'a"b>&ü'), ("sort", "-x,y"), ("cursor", "old")]
    header = page_links("/v1/bücher/x>y", params, next_cursor="n", prev_cursor="p")
    links = dict(reversed(part.split("; ")) for part in header.split(", "))
    assert set(links) == {'rel="next"', 'rel="prev"', 'rel="first"'}
    address = urlsplit(links['rel="next"'].strip("<>"))
    assert parse_qsl(address.query) == [("q", 'a"b>&ü'), ("sort", "-x,y"), ("cursor", "n")]
    assert address.path == "/v1/b%C3%BCcher/x%3Ey"
    assert header.isascii()
    assert page_links("/v1/books", []) == '</v1/books>; rel="first"'
