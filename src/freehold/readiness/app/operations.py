"""The operations of a live application: method, path, handler in the source, dependencies, input and output."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fastapi import routing
from pydantic import BaseModel

from freehold.readiness.app.fields import Field, fields_of, models_in, nested, parameter
from freehold.readiness.rule import Hit
from freehold.readiness.source.index import Function, SourceIndex

SAFE = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True, eq=False)
class Addressed:
    """A method of a path."""

    method: str
    path: str

    @property
    def title(self) -> str:
        """`GET /books/{id}`."""
        return f"{self.method} {self.path}"

    @property
    def reads(self) -> bool:
        return self.method in SAFE


@dataclass(frozen=True, eq=False)
class Operation(Addressed):
    """A method of a path whose handler stands in the project.

    dependencies: every callable that runs before it, through all levels. declared: an access rule stands on the route.
    """

    function: Function
    route: Any
    dependencies: tuple[Callable[..., Any], ...]
    declared: bool

    @property
    def segments(self) -> list[str]:
        """The parts of the path that are no parameters, in lower case."""
        return [part.lower() for part in self.path.split("/") if part and not part.startswith("{")]

    @property
    def status(self) -> int:
        """What it answers when all is well."""
        return self.route.status_code or 200

    @cached_property
    def bodies(self) -> list[type[BaseModel]]:
        """The models of its body, not those inside them."""
        given = [model for each in _flat(self.route.dependant) for model in _annotations(each.body_params)]
        return list(dict.fromkeys(model for annotation in given for model in models_in(annotation)))

    @cached_property
    def body(self) -> list[Field]:
        """The fields of its body, those of models inside too; parameters of a form as well."""
        models = [model for body in self.bodies for model in nested(body)]
        plain = [
            parameter(each.name, each.field_info) for one in _flat(self.route.dependant) for each in one.body_params
        ]
        return [field for model in models for field in fields_of(model)] + plain

    @cached_property
    def query(self) -> list[Field]:
        """Its query parameters, those of dependencies too, and the fields of models of them."""
        found = [each for one in _flat(self.route.dependant) for each in one.query_params]
        models = [model for each in found for model in models_in(each.field_info.annotation)]
        return [parameter(each.alias, each.field_info) for each in found] + [
            field for model in models for field in fields_of(model)
        ]

    @cached_property
    def returned(self) -> Any:
        """The declared type of its answer; None where nothing is declared."""
        return getattr(self.route, "response_model", None)

    @cached_property
    def response(self) -> list[Field]:
        """The fields of its answer, through all levels."""
        models = [model for top in models_in(self.returned) for model in nested(top)]
        excluded = getattr(self.route, "response_model_exclude", None) or ()
        return [field for model in dict.fromkeys(models) for field in fields_of(model) if field.name not in excluded]

    def hit(self, message: str) -> Hit:
        """A hit at the handler, under the operation's name."""
        return Hit(self.function.module.at(self.function.node), message, self.title)


def nothing_declared(route: Any) -> bool:
    """The answer for applications whose rules stand in FastAPI's own dependencies."""
    return False


def operations(
    routes: Iterable[Any], index: SourceIndex, declared: Callable[[Any], bool] = nothing_declared
) -> list[Operation]:
    """The operations whose handler is in the project. declared: says of a route that an access rule stands on it."""
    found = []
    for route in each_route(routes):
        endpoint, dependant = getattr(route, "endpoint", None), getattr(route, "dependant", None)
        function = function_of(endpoint, index) if endpoint and dependant else None
        if function is None or not getattr(route, "methods", None):
            continue
        calls = tuple(each.call for each in _flat(dependant) if each.call is not None and each.call is not endpoint)
        open_to_view = declared(getattr(route, "original_route", route))
        found += [
            Operation(method, route.path or "", function, route, calls, open_to_view)
            for method in sorted(route.methods - {"HEAD", "OPTIONS"})
        ]
    return found


def each_route(routes: Iterable[Any]) -> Iterator[Any]:
    """The routes of an application, flat. FastAPI keeps a tree since 0.137 and hands out a walk since 0.137.2."""
    walk = getattr(routing, "iter_route_contexts", None)
    if walk is not None:
        yield from walk(list(routes))
        return
    for route in routes:
        inner = getattr(getattr(route, "router", None), "routes", None)
        if inner is not None:
            yield from each_route(inner)
        else:
            yield route


def function_of(call: Any, index: SourceIndex) -> Function | None:
    """The function in the project that a callable runs: through decorators that keep its name, partials and instances."""
    while hasattr(call, "func"):
        call = call.func
    try:
        plain = inspect.unwrap(call)
    except ValueError:
        return None
    if inspect.isclass(plain):
        plain = plain.__init__
    elif not inspect.isroutine(plain):
        plain = type(plain).__dict__.get("__call__")
    code = getattr(plain, "__code__", None)
    module = index.at(code.co_filename) if code else None
    if module is None:
        return None
    return next((each for each in index.functions.values() if each.module is module and _begins(each, code)), None)


def _begins(function: Function, code: Any) -> bool:
    first = min([function.node.lineno, *(each.lineno for each in function.node.decorator_list)])
    return bool(function.called == code.co_name and first <= code.co_firstlineno <= function.node.lineno)


def _flat(dependant: Any) -> list[Any]:
    found = [dependant]
    for each in found:
        found += each.dependencies
    return found


def _annotations(parameters: Iterable[Any]) -> list[Any]:
    return [each.field_info.annotation for each in parameters]
