"""The body of a request: strict JSON, checked in linear time, then the schema on the bytes.

Nothing is repaired. Refused as 400: what is not JSON (broken UTF-8, a byte order mark, NaN, lone surrogates, trailing
text), a name given twice in one object, more than 64 levels, 10,000 names or 50,000 values, a number of more than 100
characters. Refused as 422, because no column can hold them: control characters in text other than tab and line
breaks, and integers past 64 bits.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection
from itertools import accumulate
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from freehold.errors import BadRequest, FieldError, Invalid, UnsupportedMediaType
from freehold.web.faults import CONTROL_CHARACTERS, CONTROL_MESSAGE, faults, locate

JSON_TYPES = ("application/json",)
MERGE_PATCH_TYPES = ("application/merge-patch+json", "application/json")
MAX_DEPTH = 64
MAX_NAMES = 10_000
MAX_VALUES = 50_000
MAX_NUMBER = 100

_M = TypeVar("_M")
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # as signed bytes: one level down, one level up
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_LONG_DIGITS = re.compile(rb"[0-9]{19}")  # 2**63 has 19
_NUMBER = re.compile(rb"-?[0-9][0-9.eE+-]*")
_CONTROL = re.compile(rb"\\[bf]|\\u00(?:0[0-8bBcCeEfF]|1[0-9a-fA-F]|7[fF]|[89][0-9a-fA-F])|\x7f|\xc2[\x80-\x9f]")


def check_content_type(content_type: str | None, *, accepted: Collection[str] = JSON_TYPES) -> None:
    """Raise UnsupportedMediaType unless the header names one of `accepted`, in UTF-8 if it names a charset."""
    if content_type in accepted:
        return
    media, *parameters = (content_type or "").lower().split(";")
    charset = [p.strip().removeprefix("charset=").strip('"') for p in parameters if p.strip().startswith("charset=")]
    if media.strip() not in accepted or any(each not in ("utf-8", "utf8") for each in charset):
        said, taken = " or ".join(accepted), ", ".join(accepted)
        headers = {"Accept": taken, **({"Accept-Patch": taken} if accepted == MERGE_PATCH_TYPES else {})}
        raise UnsupportedMediaType(f"Send the body as {said}, in UTF-8.", headers=headers)


def read_json(body: bytes, content_type: str | None, *, accepted: Collection[str] = JSON_TYPES) -> Any:
    """Parse a body under all the limits of this module; see there for what is refused. Checks the type first."""
    check_content_type(content_type, accepted=accepted)
    return parse(body)


def validate(schema: type[_M] | TypeAdapter[_M], body: bytes) -> _M:
    """Read `body` by a schema in strict mode: no number from text, no boolean from a number. Parse it first.

    Raises Invalid with a JSON Pointer (RFC 6901) for each fault, never with what was sent.
    """
    reader: Any = getattr(schema, "__pydantic_validator__", None) or schema
    try:
        found: _M = reader.validate_json(body, strict=True)
    except ValidationError as error:
        raise Invalid(errors=faults(error, orjson.loads(body))) from None
    return found


def parse(body: bytes) -> Any:
    """Parse JSON under the limits of this module. Raises BadRequest or Invalid; linear in the length of the body."""
    skeleton = _outside_strings(body)
    names = _check_shape(skeleton)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(f"The body is not JSON: see {where}.", code="body.malformed") from None
    # A parsed object keeps one of the names that are given twice, so the document then has more of them.
    # Writing it again counts them at the speed of C.
    flat = type(value) is dict and len(value) == names
    if not flat and _outside_strings(orjson.dumps(value)).count(b":") != names:
        raise BadRequest("An object in the body gives a name twice.", code="body.repeated_name")
    if _LONG_DIGITS.search(skeleton):
        _check_numbers(body, skeleton)
    # A control character is escaped, DEL, or past ASCII.
    if (b"\\" in body or b"\x7f" in body or not body.isascii()) and _CONTROL.search(body):
        _check_text(body)
    return value


def _outside_strings(body: bytes) -> bytes:
    """A well-formed document without its strings: their quotes come in pairs. Of any other, the parser complains."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(body.split(b'"')[::2])


def _check_shape(skeleton: bytes) -> int:
    """The number of names. Before the parser, which takes 170 ms for a megabyte of small arrays."""
    opened = skeleton.count(b"[") + skeleton.count(b"{")
    if opened + skeleton.count(b",") > MAX_VALUES:
        raise BadRequest(f"The body has more than {MAX_VALUES} values.", code="body.too_many_values")
    if opened > MAX_DEPTH and max(accumulate(array("b", skeleton.translate(_STEPS, _NOT_BRACKETS)))) > MAX_DEPTH:
        raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.", code="body.too_deep")
    names = skeleton.count(b":")
    if names > MAX_NAMES:
        raise BadRequest(f"The body has more than {MAX_NAMES} names.", code="body.too_many_names")
    return names


def _check_numbers(body: bytes, skeleton: bytes) -> None:
    for number in _NUMBER.findall(skeleton):
        if len(number) > MAX_NUMBER:
            raise BadRequest(f"A number in the body is longer than {MAX_NUMBER} characters.", code="body.long_number")
        if number.lstrip(b"-").isdigit() and not -(2**63) <= int(number) < 2**63:
            pointer = locate(body, lambda value: type(value) is int and not -(2**63) <= value < 2**63)
            message = "Input should be an integer of at most 64 bits"
            raise Invalid(errors=[FieldError("integer_range", message, pointer=pointer)])


def _check_text(body: bytes) -> None:
    # With escaped backslashes out of the way, what looks like an escape is one.
    if _CONTROL.search(body.replace(b"\\\\", b"")):
        pointer = locate(body, lambda value: type(value) is str and bool(CONTROL_CHARACTERS.search(value)))
        raise Invalid(errors=[FieldError("control_character", CONTROL_MESSAGE, pointer=pointer)])
