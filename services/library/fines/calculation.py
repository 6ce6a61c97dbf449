"""What lateness costs. Pure: no database.

The amount is worked out anew from the days each time, never added to: however often a day is counted, it is charged once.
"""

from __future__ import annotations

from ..rules.terms import Terms


def overdue(terms: Terms, *, days_late: int, price_amount: int | None) -> int:
    """In minor units. days_late: days on which the library was open. price_amount: of the copy, where it is known."""
    if days_late <= terms.grace_days:
        return 0
    amount = days_late // terms.fine_interval_days * terms.fine_amount
    caps = [terms.fine_cap, price_amount if terms.cap_at_price else None]
    return min([amount, *(cap for cap in caps if cap is not None)])
