"""The terms of a loan or a hold: what the rules come to for one library, category and item type. Pure: no database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from .models import CirculationRule, Unit


class Terms(BaseModel):
    """Each setting as the rules give it, or as it is without any. Kept with each loan: later rules do not change it.

    type_limit: of the item type alone; None: no other limit than `loan_limit`. Amounts are in minor units.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    loan_limit: int = 5
    type_limit: int | None = None
    period_length: int = 14
    period_unit: Unit = "days"
    hard_due_on: date | None = None
    fine_amount: int = 0
    fine_interval_days: int = 1
    grace_days: int = 0
    fine_cap: int | None = None
    cap_at_price: bool = False
    suspension_days: int = 0
    renewals: int = 2
    renewal_length: int | None = None
    no_renewal_before_days: int | None = None
    automatic_renewal: bool = False
    hold_limit: int = 5
    holds_per_record: int = 1
    on_shelf_holds: bool = True
    item_level_holds: bool = False
    pickup_days: int = 7


_SETTINGS = [name for name in Terms.model_fields if name not in ("loan_limit", "type_limit")]


def resolve(rules: Iterable[CirculationRule], *, library_id: UUID, category: str, item_type: str) -> Terms:
    """The terms, each setting from the most specific rule that has it.

    A rule that names the library comes before all that do not, then one that names the category, then the item type.
    """
    wanted = {"library_id": library_id, "category": category, "item_type": item_type}
    fitting = [rule for rule in rules if all(getattr(rule, name) in (None, value) for name, value in wanted.items())]
    ranked = sorted(fitting, key=lambda rule: [getattr(rule, name) is None for name in wanted])
    found = {name: _first(ranked, name) for name in _SETTINGS}
    found["loan_limit"] = _first([rule for rule in ranked if rule.item_type is None], "loan_limit")
    found["type_limit"] = _first([rule for rule in ranked if rule.item_type is not None], "loan_limit")
    return Terms(**{name: value for name, value in found.items() if value is not None})


def _first(rules: Iterable[CirculationRule], name: str) -> Any:
    return next((value for rule in rules if (value := getattr(rule, name)) is not None), None)
