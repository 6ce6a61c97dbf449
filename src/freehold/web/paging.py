"""What a list that is no Resource may be asked: how many items, and from where on."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from freehold.errors import FieldError, Invalid
from freehold.query.values import BadValue, integer

PAGE_SIZE: Final = 20
MAX_PAGE_SIZE: Final = 100


def page_question(request: Request) -> tuple[int, str | None]:
    """The number of items that is asked for, and the cursor. Raises Invalid: such a list takes no other parameter."""
    given: dict[str, str] = {}
    faults: list[FieldError] = []
    for name, value in request.query_params.multi_items():
        if name not in ("limit", "cursor"):
            faults.append(FieldError("query.unknown_parameter", "There is no such parameter.", parameter=name[:100]))
        elif name in given:
            faults.append(FieldError("query.repeated_parameter", "Give it once.", parameter=name))
        given[name] = value
    try:
        limit = integer(given.get("limit", str(PAGE_SIZE)))
    except BadValue as error:
        limit, wrong = PAGE_SIZE, str(error)
        faults.append(FieldError("query.invalid_value", wrong, parameter="limit"))
    if not 1 <= limit <= MAX_PAGE_SIZE:
        faults.append(FieldError("query.out_of_range", f"Between 1 and {MAX_PAGE_SIZE}.", parameter="limit"))
    if faults:
        raise Invalid(errors=faults)
    return limit, given.get("cursor")
