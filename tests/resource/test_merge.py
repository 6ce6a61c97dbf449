"""Merge patch (X04): the examples of RFC 7396, typed changes, and rules over several fields."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, model_validator

from freehold.errors import Invalid
from freehold.resource.merge import changed_values, merge_patch, recheck
from freehold.resource.schemas import partial


# RFC 7396, appendix A.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_X04_merge_patch_is_rfc_7396(target: Any, patch: Any, result: Any) -> None:
    assert merge_patch(target, patch) == result


class Stay(BaseModel):
    first: int
    last: int | None = None
    facts: dict[str, Any] = {}
    tags: list[str] = []

    @model_validator(mode="after")
    def _in_order(self) -> Stay:
        if self.last is not None and self.last < self.first:
            raise ValueError("last is before first")
        return self


Change = partial(Stay)
ROW = SimpleNamespace(first=1, last=5, facts={"a": 1, "b": {"c": 2}}, tags=["x", "y"])


def test_X04_absent_keeps_null_removes_objects_merge_arrays_replace() -> None:
    sent = Change.model_validate_json('{"last": null, "facts": {"a": null, "b": {"d": 3}}, "tags": ["z"]}')
    assert changed_values(ROW, sent) == {"last": None, "facts": {"b": {"c": 2, "d": 3}}, "tags": ["z"]}
    assert ROW.facts == {"a": 1, "b": {"c": 2}}


def test_X04_a_rule_over_several_fields_sees_the_row_as_it_will_be() -> None:
    recheck(Stay, ROW, {"last": 3})
    with pytest.raises(Invalid) as caught:
        recheck(Stay, ROW, {"first": 9})
    assert [(fault.pointer, fault.message) for fault in caught.value.errors] == [("", "last is before first")]


def test_a_schema_that_does_not_describe_the_row_is_left_alone() -> None:
    recheck(Stay, SimpleNamespace(first=9), {"last": 1})
