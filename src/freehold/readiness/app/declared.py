"""The operations that Resources make: nobody wrote their handlers, so they are read off the declaration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from freehold.readiness.app.fields import Field, fields_of, models_in, nested
from freehold.readiness.app.operations import Addressed
from freehold.readiness.rule import Hit, Place
from freehold.resource.access import Role, Rule, Scope, anyone
from freehold.resource.declaration import Resource


@dataclass(frozen=True, eq=False)
class DeclaredOperation(Addressed):
    """One of them, as far as rules ask. place: of the model, since a declaration knows no line of its own.

    sends, answers: the types of its body and of its answer; None for none.
    """

    place: Place
    rule: Rule
    sends: Any
    answers: Any
    resource: Resource

    @property
    def is_open(self) -> bool:
        """Whether anybody may call it, and it asks for nothing of the row."""
        return self.rule == anyone

    @property
    def is_privileged(self) -> bool:
        """Whether it asks for a role or a scope."""
        return any(isinstance(atom, Role | Scope) for atom in self.rule.atoms())

    @cached_property
    def body(self) -> list[Field]:
        """The fields of its body, those of models inside too."""
        return _fields(self.sends)

    @cached_property
    def response(self) -> list[Field]:
        """The fields of its answer, through all levels; not those that a rule of their own shows to some."""
        limited = {name for name, rule in self.resource.access.read_fields.items() if rule != anyone}
        return [field for field in _fields(self.answers) if field.name not in limited]

    def hit(self, message: str) -> Hit:
        """A hit at the model, under the operation's name."""
        return Hit(self.place, message, self.title)


def declared_operations(app: Any, place_of: Callable[[type], Place | None]) -> list[DeclaredOperation]:
    """Those of an application whose models stand in the project."""
    found = []
    for each in mounted(app):
        place = place_of(each.bound.model)
        if place is not None:
            answers = each.returns or getattr(each.detail, "returns", None) or each.bound.read_schema
            found.append(
                DeclaredOperation(each.method, each.path, place, each.rule, each.body, answers, each.bound.resource)
            )
    return found


def mounted(app: Any) -> Iterable[Any]:
    """What `web.mounting` has mounted; nothing in an application without Resources."""
    found = getattr(app, "mounted", None) or getattr(getattr(app, "state", None), "fh_mounted", None)
    return found.operations if found is not None else ()


def functions_of(resource: Resource) -> Iterator[Callable[..., Any]]:
    """What runs of a service's own while a request to a resource is answered."""
    told: list[Any] = [resource.create, resource.update, resource.delete, resource.turnstile, resource.prepare]
    parts: list[Any] = [*resource.actions, *resource.views, *resource.overviews]
    told += [each.function for each in parts]
    told += [resource.restored_by.function if resource.restored_by else None, resource.imported_by.clean]
    yield from filter(None, [*told, *resource.readers])


def _fields(annotation: Any) -> list[Field]:
    models = dict.fromkeys(model for top in models_in(annotation) for model in nested(top))
    return [field for model in models for field in fields_of(model)]
