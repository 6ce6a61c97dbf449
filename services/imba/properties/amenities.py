"""What a home has, as it is looked for: every one of several, however they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Text, and_
from sqlalchemy.orm import InstrumentedAttribute, MappedColumn

from freehold import Filter, Invalid
from freehold.errors import FieldError
from freehold.fields import derived, fold

MOST = 10


def amenity_keys(source: str) -> MappedColumn[Any]:
    """The column that the filter looks at: each amenity folded, between line feeds."""
    return derived("amenities", source, compute=lambda row: _joined(row[source] or ()), type_=Text(), nullable=False)


def amenity_filter(keys: InstrumentedAttribute[str]) -> Filter:
    """`?amenities=wood stove,view`: homes that have all of them."""

    def clause(given: Mapping[str, Any]) -> ColumnElement[bool]:
        wanted = [word for part in given["amenities"].split(",") if (word := fold(part.strip()))]
        if not 0 < len(wanted) <= MOST:
            wrong = FieldError("amenities", f"1 to {MOST} amenities, with commas between", parameter="amenities")
            raise Invalid("These are no amenities.", errors=[wrong])
        return and_(*(keys.contains(_joined([word]), autoescape=True) for word in wanted))

    return Filter(params={"amenities": str}, clause=clause, description="Those that have all of these: wood stove,view")


def _joined(amenities: Any) -> str:
    return "".join(f"\n{fold(each)}\n" for each in amenities)
