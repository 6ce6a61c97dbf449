"""Columns and field types for models and schemas.

`folded`, `search_document` and `derived` are columns computed from others (`fold` is what `folded` does to text),
`one_of` the column type of a closed choice. `Line`, `Prose`, `Day`, `Instant` and `Key` are Pydantic types for text of
one line, text of several, a date, an instant in UTC and the id of a row; `Country` and `Currency` are for codes. `INPUT`
is the configuration of what clients send, `Reason` the body of a refusal, `stamped` the state change that is nothing but
its moment. `now` is the clock that tests can move; `partial` makes the schema of a change from that of a whole.
"""

from freehold.resource.base import UTCDateTime, new_id
from freehold.resource.bodies import INPUT, Reason, stamped
from freehold.resource.clock import now
from freehold.resource.codes import Country, Currency
from freehold.resource.columns import derived, folded, one_of, search_document
from freehold.resource.fold import fold
from freehold.resource.schemas import partial
from freehold.resource.values import Day, Instant, Key, Line, Prose, not_blank

__all__ = [
    "INPUT",
    "Country",
    "Currency",
    "Day",
    "Instant",
    "Key",
    "Line",
    "Prose",
    "Reason",
    "UTCDateTime",
    "derived",
    "fold",
    "folded",
    "new_id",
    "not_blank",
    "now",
    "one_of",
    "partial",
    "search_document",
    "stamped",
]
