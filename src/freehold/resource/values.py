"""Values as Pydantic types for schemas: strict, bounded, and never repaired.

class PropertyDraft(BaseModel):
    title: Annotated[Line, Field(max_length=120)]
    description: Prose
    available_from: Instant
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

UNBOUNDED_TEXT = 10_000
"""Characters that a text column without a length takes."""
LONG_TEXT = 255
"""A text column over this length, or without one, may hold line breaks and tabs."""
# Embeddings, overrides and isolates of direction (UAX 9) show a text in another order than it is read by programs.
# The plain marks (LRM, RLM, ALM) are spelling, and the letters of every script carry their direction themselves.
_TURNS = r"\u202a-\u202e\u2066-\u2069"
LINE_PATTERN = rf"^[^\x00-\x1f\x7f-\x9f\u2028\u2029{_TURNS}]*$"
PROSE_PATTERN = rf"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_TURNS}]*$"
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6}0*)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _instant(value: object) -> datetime:
    if isinstance(value, str):
        if not _RFC3339.fullmatch(value):
            raise PydanticCustomError("datetime_parsing", "Input should be an RFC 3339 instant with a UTC offset")
        try:
            # fromisoformat takes no lower-case letters and, before 3.12, drops digits past the sixth: those are zeros.
            value = datetime.fromisoformat(value.upper())
        except ValueError as error:
            raise PydanticCustomError("datetime_parsing", "Input should be an instant that exists") from error
    if not isinstance(value, datetime):
        raise PydanticCustomError("datetime_type", "Input should be an RFC 3339 instant with a UTC offset")
    if value.tzinfo is None:
        raise PydanticCustomError("timezone_aware", "Input should have a UTC offset")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:  # the first and last day of the calendar, in another zone
        raise PydanticCustomError("datetime_range", "Input should be within the years 1 to 9999 in UTC") from error


def _day(value: object) -> date:
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise PydanticCustomError("date_parsing", "Input should be a date that exists") from error
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise PydanticCustomError("date_type", "Input should be a date, YYYY-MM-DD")


class _Parsed:
    """Read by a function of ours, described as a string of a format.

    Pydantic's own parsers take a string of digits for a Unix timestamp, also in strict mode.
    """

    def __init__(self, function: Any, format_name: str) -> None:
        self._function = function
        self._format = format_name

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._function, serialization=_serialized(handler(source)))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": self._format}


def _serialized(schema: CoreSchema) -> core_schema.WrapSerializerFunctionSerSchema:
    return core_schema.wrap_serializer_function_ser_schema(lambda value, inner: inner(value), schema=schema)


Line: TypeAlias = Annotated[str, StringConstraints(strict=True, max_length=LONG_TEXT, pattern=LINE_PATTERN)]
"""Text without control characters, also those of direction, at most 255 characters unless told otherwise."""
Prose: TypeAlias = Annotated[str, StringConstraints(strict=True, max_length=UNBOUNDED_TEXT, pattern=PROSE_PATTERN)]
"""Text that may hold line breaks and tabs, at most 10,000 characters unless told otherwise."""
Instant: TypeAlias = Annotated[datetime, _Parsed(_instant, "date-time")]
"""An RFC 3339 instant with an offset; arrives in UTC. No Unix timestamps, no naive times."""
Day: TypeAlias = Annotated[date, _Parsed(_day, "date")]
"""A calendar date, YYYY-MM-DD."""
Key: TypeAlias = Annotated[UUID, Field(strict=False)]
"""The id of a row, as text. A strict schema takes no text for a UUID where FastAPI, and not a Resource, hands it the body."""


def not_blank(text: str) -> str:
    """Refuse text that shows nothing: `Annotated[Line, AfterValidator(not_blank)]`."""
    if not text.strip():
        raise PydanticCustomError("blank", "blank")
    return text
