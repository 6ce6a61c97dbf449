"""The rules of circulation, as clients reach them."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, anyone, role, unique_while

from .models import CirculationRule
from .schemas import RuleDraft, RuleRead

STAFF = role("librarian")

rules = Resource(
    CirculationRule,
    schemas=Schemas(read=RuleRead, create=RuleDraft),
    access=Access(read=anyone, write=STAFF),
    queries=Queries(filters=["library_id", "category", "item_type", "library_id__isnull"], sort=["-created_at"]),
    invariants=[
        unique_while(
            "library_id", "category", "item_type", nulls_equal=True, name="library_one_rule", code="library.rule_taken"
        )
    ],
)
