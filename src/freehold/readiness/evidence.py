"""Everything that rules may look at, gathered once: files, source, and the application where it was imported."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freehold.readiness.app.declared import DeclaredOperation, declared_operations, functions_of
from freehold.readiness.app.operations import Operation, function_of, nothing_declared, operations
from freehold.readiness.project import Project
from freehold.readiness.rule import Hit, Place
from freehold.readiness.source.index import ClassInfo, Function, SourceIndex
from freehold.readiness.source.reach import reached
from freehold.readiness.source.sessions import Use, uses
from freehold.readiness.source.state import mutated

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy import Table


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a project. app: None where only the source is looked at.

    declared: says of a route that an access rule stands on it, for frameworks that put it elsewhere than in FastAPI's
    dependencies.
    """

    project: Project
    source: SourceIndex
    app: FastAPI | None = None
    declared: Callable[[Any], bool] = nothing_declared
    _reached: dict[Function, list[Function]] = field(default_factory=dict)

    @cached_property
    def operations(self) -> list[Operation]:
        """The operations whose handlers stand in the project; none without the application."""
        return operations(self.app.routes, self.source, self.declared) if self.app is not None else []

    @cached_property
    def declared_operations(self) -> list[DeclaredOperation]:
        """The operations that Resources make, of models in the project."""
        return declared_operations(self.app, self._place_of_class)

    @cached_property
    def offered(self) -> list[Operation | DeclaredOperation]:
        """Both, for rules that look at what is sent and answered alone."""
        return [*self.operations, *self.declared_operations]

    @cached_property
    def uses(self) -> dict[Function, list[Use]]:
        """What each function does with a database session."""
        return {function: uses(function, self.source) for function in self.source.functions.values()}

    @cached_property
    def serving(self) -> list[Function]:
        """The functions that run while a request is answered; all of them where no application tells."""
        if self.app is None:
            return list(self.source.functions.values())
        found: dict[Function, None] = {}
        for operation in self.operations:
            called = [function_of(call, self.source) for call in operation.dependencies]
            for function in [operation.function, *filter(None, called)]:
                found |= dict.fromkeys(self.reached(function))
        for resource in dict.fromkeys(each.resource for each in self.declared_operations):
            for own in filter(None, (function_of(call, self.source) for call in functions_of(resource))):
                found |= dict.fromkeys(self.reached(own))
        return list(found)

    def reached(self, function: Function) -> list[Function]:
        """The function and what it calls in the project, nearest first."""
        if function not in self._reached:
            self._reached[function] = reached(function, self.source)
        return self._reached[function]

    def uses_reached(self, function: Function) -> Iterator[Use]:
        """What the function and all that it calls do with a database session."""
        for each in self.reached(function):
            yield from self.uses[each]

    def changes(self, function: Function) -> bool:
        """Whether a handler changes rows, or a list or dictionary that stands at the top of a module."""
        if any(use.writes or use.commits for use in self.uses_reached(function)):
            return True
        return any(mutated(each, self.source) for each in self.reached(function))

    @cached_property
    def tables(self) -> list[tuple[Table, ClassInfo]]:
        """The tables of the imported application that a class of the project maps."""
        found: dict[Table, ClassInfo] = {}
        for info in self.source.classes.values():
            table = getattr(self.live(info), "__table__", None)
            if table is not None and hasattr(table, "columns"):
                found.setdefault(table, info)
        return list(found.items())

    @cached_property
    def mapped(self) -> set[str]:
        """The canonical names of the classes that have a table."""
        return {info.name for _, info in self.tables}

    def live(self, info: ClassInfo) -> Any:
        """The class of the running process that a class of the source became; None where it was not imported."""
        return getattr(self._modules.get(str(info.module.path)), info.node.name, None)

    def in_file(self, path: Path, line: int, message: str) -> Hit:
        """A hit in a file of the project that is no Python."""
        return Hit(Place(self.project.shown(path), line), message, message)

    def place_of(self, owner: type, name: str) -> Place | None:
        """Where a field of a class of the project is written."""
        info = self.written(owner)
        return info.module.at(info.fields.get(name, info.node)) if info else None

    def _place_of_class(self, kind: type) -> Place | None:
        info = self.written(kind)
        return info.module.at(info.node) if info else None

    def written(self, kind: type) -> ClassInfo | None:
        """The class of the source that a class of the running process came from; None for one from outside."""
        module = self.source.at(getattr(sys.modules.get(kind.__module__), "__file__", None) or "")
        return self.source.classes.get(f"{module.name}.{kind.__qualname__}") if module else None

    @cached_property
    def guarding_middleware(self) -> bool:
        """Whether a middleware reads who calls, for every operation alike."""
        for each in getattr(self.app, "user_middleware", ()):
            info = self.written(each.cls) if isinstance(each.cls, type) else None
            if "Auth" in getattr(each.cls, "__name__", "") or (
                info and "authorization" in ast.unparse(info.node).lower()
            ):
                return True
        return False

    @cached_property
    def _modules(self) -> dict[str, Any]:
        if self.app is None:
            return {}
        return {
            str(known.path): module
            for module in list(sys.modules.values())
            if (known := self.source.at(getattr(module, "__file__", None) or ""))
        }
