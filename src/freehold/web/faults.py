"""What Pydantic found wrong, as places in the document and sentences, without a word of what was sent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from freehold.errors import FieldError
from freehold.resource.values import LINE_PATTERN, PROSE_PATTERN

CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
CONTROL_MESSAGE = "Text should hold no control characters, nor any that turn its direction"
MAX_FAULTS = 50
"""Faults that one answer lists."""
_MAX_READ = 1_000  # Past it, making the list takes longer than all the rest.
_MAX_LOCATED = 65_536  # Bytes of a document in which the place of a fault is looked for: past it, a walk is too slow.
_MAX_POINTER = 200  # A longer one repeats what was sent rather than says where.

# Sentences of ours where Pydantic's repeat a part of the input.
_SENTENCES = {
    "extra_forbidden": "This field is not known here",
    "uuid_parsing": "Input should be a UUID",
    "union_tag_invalid": "The tag should be one of the known ones",
    "url_parsing": "Input should be a URL",
    "url_syntax_violation": "Input should be a URL",
    "datetime_from_date_parsing": "Input should be a date and time",
}


def faults(error: ValidationError, document: Any) -> list[FieldError]:
    """The faults in `document` (as parsed), at most 50 of them."""
    if error.error_count() > _MAX_READ:
        return [FieldError("too_many_faults", f"There are {error.error_count()} faults in the input", pointer="")]
    found = error.errors(include_url=False, include_input=False)[:MAX_FAULTS]
    return [
        FieldError(code(each), sentence(each), pointer=pointer(_steps(each["loc"], document, each["type"])))
        for each in found
    ]


def code(fault: ErrorDetails) -> str:
    """The stable name of a fault: Pydantic's, save `control_character`."""
    if _is_control(fault):
        return "control_character"
    return fault["type"]


def sentence(fault: ErrorDetails) -> str:
    """What should be there. Validators of one's own speak for themselves."""
    if _is_control(fault):
        return CONTROL_MESSAGE
    context = fault.get("ctx", {})
    if fault["type"] == "value_error" and "reason" in context:
        return "Input should be an e-mail address"
    if fault["type"] in ("value_error", "assertion_error") and "error" in context:
        return str(context["error"])
    return _SENTENCES.get(fault["type"], fault["msg"])


def pointer(steps: Sequence[int | str]) -> str:
    """A JSON Pointer (RFC 6901). Cut back to the object that holds a name too long to repeat."""
    found = ""
    for step in steps:
        longer = found + "/" + str(step).replace("~", "~0").replace("/", "~1")
        if len(longer) > _MAX_POINTER:
            break
        found = longer
    return found


def locate(body: bytes, is_fault: Callable[[Any], bool]) -> str:
    """The pointer to the first value of a JSON document for which `is_fault` holds, or to the whole of a large one."""
    if len(body) > _MAX_LOCATED:
        return ""

    # The standard parser keeps integers past 64 bits, which orjson turns into floats.
    return pointer(next(_places(json.loads(body), is_fault, ()), ()))


def _places(value: Any, is_fault: Callable[[Any], bool], at: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    if isinstance(value, dict):
        for name, child in value.items():
            if is_fault(name):
                yield at
            yield from _places(child, is_fault, (*at, name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _places(child, is_fault, (*at, index))
    elif is_fault(value):
        yield at


def _steps(location: Sequence[int | str], document: Any, kind: str) -> list[int | str]:
    """Pydantic's location without the names of union branches and functions, which are no part of the document."""
    found: list[int | str] = []
    here: Any = document
    for place, step in enumerate(location):
        try:
            here = here[step]
        except (LookupError, TypeError):  # not in the document: a branch of a union, or what is missing
            if not (kind == "missing" and place == len(location) - 1):
                continue
        found.append(step)
    return found


def _is_control(fault: ErrorDetails) -> bool:
    return fault.get("ctx", {}).get("pattern") in (LINE_PATTERN, PROSE_PATTERN)
