"""The text of a query, read as the standard library reads it."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from freehold.query.text import parameters

PIECES = [
    b"&",
    b"=",
    b"%",
    b"+",
    b";",
    b"%2",
    b"%zz",
    b"%26",
    b"%3D",
    b"%2B",
    b"%C3%BC",
    b"%ff",
    b"\xc3\xbc",
    b"a",
    b"\x00",
    b" ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join) | st.binary(max_size=20))
@example(b"")
@example(b"a&=b&c=&=&a=b=c&d=+%2B")
def test_parameters_are_those_that_an_endpoint_would_get(query: bytes) -> None:
    assert parameters(query) == tuple(QueryParams(query).multi_items())
