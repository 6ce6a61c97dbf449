"""What a domain function asks for, read from its annotations once."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from functools import lru_cache
from types import NoneType
from typing import Any

from pydantic import BaseModel

from freehold.resource.principal import Principal


@lru_cache(maxsize=4096)
def parameter_types(function: Callable[..., Any]) -> tuple[Any, ...]:
    """The annotation of each positional parameter, in order; `Any` where there is none."""
    hints = typing.get_type_hints(function)
    return tuple(hints.get(name, Any) for name in inspect.signature(function).parameters)


def body_model(function: Callable[..., Any], *, after: int) -> type[BaseModel] | None:
    """The Pydantic model that `function` takes past its first `after` parameters, if any."""
    rest = parameter_types(function)[after:]
    if rest and isinstance(rest[0], type) and issubclass(rest[0], BaseModel):
        return rest[0]
    return None


def wants_principal(function: Callable[..., Any]) -> bool:
    """Whether the second parameter is a `Principal` rather than the caller's user row."""
    found = parameter_types(function)
    return len(found) > 1 and (found[1] is Principal or found[1] is Any)


def needs_user(function: Callable[..., Any]) -> bool:
    """Whether the second parameter is a user's row, and never None."""
    found = parameter_types(function)
    asked = found[1] if len(found) > 1 else None
    return isinstance(asked, type) and not issubclass(asked, Principal | NoneType) and asked is not object
