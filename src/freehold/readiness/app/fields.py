"""Fields of Pydantic models, as far as rules ask: types, bounds, and where each is written."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Field:
    """A field of a model or a parameter. owner: the model's class; None for a plain parameter.

    kinds: the classes that a value may be of, without None. bounds: the constraints that stand on it, by name.
    """

    name: str
    owner: type[BaseModel] | None
    kinds: tuple[Any, ...]
    required: bool
    bounds: frozenset[str]


def fields_of(model: type[BaseModel]) -> list[Field]:
    """The fields of a model, not of those inside it."""
    limited = {"max_length"} if model.model_config.get("str_max_length") else set()
    return [
        _field(name, info, _defined_in(model, name), limited)
        for name, info in model.model_fields.items()
        if not info.exclude
    ]


def parameter(name: str, info: FieldInfo) -> Field:
    """A query, path or header parameter."""
    return _field(name, info, None, set())


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in an annotation: `list[A] | B` holds A and B."""
    for kind in _kinds(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield kind
        else:
            for inside in get_args(kind):
                yield from models_in(inside)


def nested(model: type[BaseModel]) -> list[type[BaseModel]]:
    """The model, and all that its fields lead to, each once."""
    found = [model]
    for each in found:
        for info in each.model_fields.values():
            if not info.exclude:
                found += [inside for inside in models_in(info.annotation) if inside not in found]
    return found


def _field(name: str, info: FieldInfo, owner: type[BaseModel] | None, limited: set[str]) -> Field:
    bounds = set(limited)
    for constraint in [*info.metadata, *_inner_metadata(info.annotation)]:
        bounds |= {
            each for each in ("max_length", "min_length", "ge", "gt", "le", "lt", "pattern") if _has(constraint, each)
        }
    return Field(name, owner, tuple(_kinds(info.annotation)), info.is_required(), frozenset(bounds))


def _has(constraint: Any, name: str) -> bool:
    if getattr(constraint, name, None) is not None:
        return True
    return name == "max_length" and type(constraint).__name__.endswith("Validator")  # one's own code may limit it


def _kinds(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin in {Union, types.UnionType}:
        for each in get_args(annotation):
            yield from _kinds(each)
    elif annotation is not type(None):
        yield annotation


def _inner_metadata(annotation: Any) -> Iterator[Any]:
    """The constraints inside a union: `Annotated[str, MaxLen(5)] | None`."""
    if get_origin(annotation) is Annotated:
        first, *metadata = get_args(annotation)
        for constraint in metadata:
            yield from constraint.metadata if isinstance(constraint, FieldInfo) else [constraint]
        yield from _inner_metadata(first)
    elif get_origin(annotation) in {Union, types.UnionType}:
        for each in get_args(annotation):
            yield from _inner_metadata(each)


def _defined_in(model: type[BaseModel], name: str) -> type[BaseModel]:
    for holder in model.__mro__:
        if issubclass(holder, BaseModel) and name in inspect.get_annotations(holder):
            return holder
    return model
