"""What Resources declare."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.query.fields import Kind, is_indexed
from freehold.query.spec import FilterSpec
from freehold.readiness.app.declared import mounted
from freehold.readiness.evidence import Evidence
from freehold.readiness.rule import Hit, Severity, rule


@rule(
    "filter-unindexed",
    "Rows are found by an id that no index begins with",
    severity=Severity.WARNING,
    needs_app=True,
    why="The list of what belongs to one row reads the whole table, and grows slower with everybody else's rows.",
    remedy="Add index=True to the column, and a migration; or take the filter out.",
)
def filter_unindexed(evidence: Evidence) -> Iterator[Hit]:
    """A filter named in `Queries(filters=…)` on a foreign key or a UUID, whose column no index begins with.

    Other columns may have few values or narrow a list that is found otherwise: of those only the service can tell.
    """
    for operation in mounted(evidence.app):
        resource = operation.bound.resource
        if operation.kind != "list" or operation.detail is not None or resource.queries.filters is None:
            continue
        for name in dict.fromkeys(each.field.name for each in operation.spec.filters.values() if _scans(each)):
            place = evidence.place_of(resource.model, name)
            if place is not None:
                message = f"{resource.name} can be filtered by {name}, which has no index"
                yield Hit(place, message, f"{resource.name}.{name}")


def _scans(asked: FilterSpec) -> bool:
    column = asked.field.column
    finds = asked.field.kind is Kind.UUID or bool(column.foreign_keys)
    return finds and asked.operation in {"eq", "in"} and not is_indexed(column)
