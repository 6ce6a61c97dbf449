"""What orjson gets for a value of the driver: the value itself, or something that is quicker made than what it means.

For the types that `encode_exact` takes. Whatever a value of another type means, its own decoder says.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Uuid

from freehold.resource.base import UTCDateTime
from freehold.store.carried import CarriedInstant, CarriedKey, Decoder, instant_text, told

_HEX: Final = re.compile(r"[0-9a-f]{32}")


def writer(type_: Any, decoder: Decoder, dialect: Any) -> Decoder:
    """What a column's values go through on their way to orjson; None for nothing. decoder: what makes them what they mean."""
    if type(type_) is UTCDateTime and dialect.driver == "asyncpg":
        return None  # in UTC, and what is beyond time, which has no zone, is in UTC too
    if type(type_) is CarriedInstant:
        return instant_text
    if type(type_) is CarriedKey:
        return None
    if dialect.name == "sqlite" and type(type_) is UTCDateTime:
        return _instant
    return _uuid if _is_stored_key(type_, dialect) else decoder


def teller(type_: Any, decoder: Decoder, dialect: Any) -> Decoder:
    """What makes of a column's values what stands in a cursor; None for nothing. A key stands there as it is written."""
    return _uuid if _is_stored_key(type_, dialect) else told(type_, decoder)


def _is_stored_key(type_: Any, dialect: Any) -> bool:
    return dialect.name == "sqlite" and type(type_) is Uuid and type_.as_uuid


def _instant(stored: str | None) -> datetime | None:
    """As `UTCDateTime` reads it, without a zone where that would be UTC, which is what orjson writes for none."""
    if stored is None:
        return None
    found = datetime.fromisoformat(stored)
    return found if found.tzinfo is None else found.astimezone(UTC)


def _uuid(stored: str | None) -> str | None:
    """As text. Written by hand it may have been spelt otherwise."""
    if stored is None:
        return None
    if _HEX.fullmatch(stored) is None:
        return str(UUID(stored))
    return f"{stored[:8]}-{stored[8:12]}-{stored[12:16]}-{stored[16:20]}-{stored[20:]}"
