"""The rules that stand in for the declared ones while something special is done with a row, all in one place.

The database's own wall has to know them beforehand; the operations take theirs from here.
"""

from __future__ import annotations

from functools import cached_property

from freehold.resource.soft_delete import deleted_rows
from freehold.store.protection import Grant
from freehold.web.bound import Bound


class Grants:
    """The grants of one resource. An attribute is None where the resource has no such operation."""

    def __init__(self, bound: Bound) -> None:
        self._bound = bound
        resource, table = bound.resource, bound.table.name
        self.actions = {each.name: Grant(table, "update", each.name, each.access) for each in resource.actions}
        # Where deletion is soft, the row changes under the delete rule; elsewhere it is locked under it.
        self.delete = Grant(table, "update", "delete", bound.rule("delete"))

    @cached_property
    def restoration(self) -> Grant | None:
        """A deleted row comes back, under the rule of its restoration alone."""
        bound, restored = self._bound, self._bound.resource.restored_by
        if restored is None or bound.resource.soft_delete is None:
            return None
        reads = bound.rule("read") | deleted_rows(bound.model, bound.resource.soft_delete, restored.access)
        return Grant(bound.table.name, "update", "restoration", restored.access, reads)

    @cached_property
    def deleted(self) -> Grant | None:
        """The list of deleted rows."""
        bound, restored = self._bound, self._bound.resource.restored_by
        if restored is None or bound.resource.soft_delete is None:
            return None
        rule = deleted_rows(bound.model, bound.resource.soft_delete, restored.access)
        return Grant(bound.table.name, "read", "deleted", rule)

    @cached_property
    def history(self) -> Grant | None:
        """A deleted row has its history still, for whoever may restore it."""
        restoration = self.restoration
        if restoration is None or restoration.reads is None:
            return None
        return Grant(self._bound.table.name, "read", "history", restoration.reads)

    def all(self) -> list[Grant]:
        """Each of them."""
        others = (self.delete, self.restoration, self.deleted, self.history)
        return [*self.actions.values(), *(each for each in others if each is not None)]
