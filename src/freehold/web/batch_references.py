"""References between the steps of a batch: `{"$ref": "a#/id"}` in a body, `{a#/id}` in a path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from freehold.errors import FieldError, Invalid

Answers = Mapping[str, Any]
"""The parsed answers of earlier steps, by their ids."""
_REFERENCE: Final = re.compile(r"([A-Za-z0-9_-]{1,40})#((?:/[^/]*)+)")
_IN_PATH: Final = re.compile(r"\{([^{}]*)\}")
_ABSENT: Final = object()


def refers(part: str, body: Any) -> bool:
    """Whether a part of a path or a body holds a reference."""
    if isinstance(body, dict):
        return body.keys() == {"$ref"} or any(refers("", value) for value in body.values()) or part.startswith("{")
    if isinstance(body, list):
        return any(refers("", value) for value in body) or part.startswith("{")
    return part.startswith("{")


def fill(body: Any, answers: Answers, *, pointer: str = "") -> Any:
    """The body with every reference replaced. Raises Invalid, with a pointer into the body."""
    if isinstance(body, dict):
        if body.keys() == {"$ref"}:
            return look_up(body["$ref"], answers, pointer=pointer)
        return {name: fill(value, answers, pointer=f"{pointer}/{_escaped(name)}") for name, value in body.items()}
    if isinstance(body, list):
        return [fill(value, answers, pointer=f"{pointer}/{index}") for index, value in enumerate(body)]
    return body


def fill_path(part: str, answers: Answers) -> str:
    """A part of a path with its reference replaced. Raises Invalid."""
    found = _IN_PATH.fullmatch(part)
    if found is None:
        return part
    value = look_up(found.group(1), answers, pointer=None)
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise _unknown(None)
    return quote(str(value), safe="")


def look_up(reference: Any, answers: Answers, *, pointer: str | None) -> Any:
    """What stands at a place in the answer of an earlier step. pointer: of the reference in a body; None in a path."""
    found = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if found is None or found.group(1) not in answers:
        raise _unknown(pointer)
    value = answers[found.group(1)]
    for name in found.group(2).split("/")[1:]:
        value = _inside(value, name.replace("~1", "/").replace("~0", "~"))
        if value is _ABSENT:
            raise _unknown(pointer)
    return value


def _inside(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name, _ABSENT)
    if isinstance(value, list) and name.isascii() and name.isdigit() and int(name) < len(value):
        return value[int(name)]
    return _ABSENT


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _unknown(pointer: str | None) -> Invalid:
    said = 'A reference is "<id of an earlier step>#/<place in its answer>", and something has to stand there'
    return Invalid(
        errors=[FieldError("unknown_reference", said, pointer=pointer, parameter="path" if pointer is None else None)]
    )
