"""Columns and field types for models and schemas.

`folded` and `search_document` are columns computed from others; `Line`, `Prose`, `Day` and `Instant` are Pydantic types
for text of one line, text of several, a date and an instant in UTC; `now` is the clock that tests can move.
"""

from freehold.resource.base import UTCDateTime, new_id
from freehold.resource.clock import now
from freehold.resource.columns import folded, search_document
from freehold.resource.values import Day, Instant, Line, Prose

__all__ = ["Day", "Instant", "Line", "Prose", "UTCDateTime", "folded", "new_id", "now", "search_document"]
