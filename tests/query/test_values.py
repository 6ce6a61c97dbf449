"""Single values out of text."""

from __future__ import annotations

import copy
import pickle
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.query import values


@given(st.uuids(), st.booleans())
def test_a_key_is_the_UUID_of_its_text_in_everything_that_can_be_asked_of_one(key: UUID, in_capitals: bool) -> None:
    text = str(key).upper() if in_capitals else str(key)
    found = values.uuid(text)
    assert type(found) is UUID
    assert (found, hash(found), str(found), repr(found)) == (key, hash(key), str(key), repr(key))
    assert (found.bytes, found.fields, found.version, found.is_safe) == (
        key.bytes,
        key.fields,
        key.version,
        key.is_safe,
    )
    assert pickle.loads(pickle.dumps(found)) == copy.deepcopy(found) == key
    with pytest.raises(TypeError):
        found.int = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0198a000000070008000000000000001",
        "{0198a000-0000-7000-8000-000000000001}",
        "urn:uuid:0198a000-0000-7000-8000-000000000001",
        " 0198a000-0000-7000-8000-000000000001",
        "0198a000-0000-7000-8000-000000000001\n",
        "0198a000-0000-7000-8000-00000000000g",
        "0198a000-0000-7000-8000-0000000000\u0660\u0661",
        "0x98a000-0000-7000-8000-000000000001",
        "0198a000-0000-7000-8000-00000000_001",
        "0198a0000-000-7000-8000-000000000001",
    ],
)
def test_no_other_spelling_is_a_key(text: str) -> None:
    with pytest.raises(values.BadValue):
        values.uuid(text)
