"""The arguments of a job: checked when it is enqueued, written as JSON, checked again when it runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, PydanticSchemaGenerationError, create_model
from pydantic_core import to_json

from freehold.errors import ConfigurationError

_RESERVED = frozenset({"run_at", "key", "order", "owner", "session"})
_CONFIG = ConfigDict(extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")


@dataclass(frozen=True, slots=True)
class Payload:
    """The keyword arguments of one job's function, all but the session."""

    model: type[BaseModel]
    names: Mapping[str, str]

    @classmethod
    def of(cls, function: Callable[..., Any], *, job_name: str) -> Payload:
        """Read the annotations of `function`. Raises ConfigurationError where one is missing or cannot be JSON."""
        session, parameters = _split(function)
        if session is None or session.kind is inspect.Parameter.KEYWORD_ONLY:
            raise ConfigurationError(f"job {job_name!r}: its first parameter must be the session (`db: Session`)")
        for parameter in parameters:
            _check(parameter, job_name)
        # Fields have names of our own, for a model would refuse arguments called `copy` or `json`.
        names = {f"field_{number}": parameter.name for number, parameter in enumerate(parameters)}
        try:
            hints = _hints(function, parameters)
            fields: dict[str, Any] = {
                field: (hints[parameter.name], Field(alias=parameter.name, default=_default(parameter)))
                for field, parameter in zip(names, parameters, strict=True)
            }
            return cls(model=create_model("Arguments", __config__=_CONFIG, **fields), names=names)
        except (NameError, PydanticSchemaGenerationError) as error:
            raise ConfigurationError(f"job {job_name!r}: an annotation cannot be read: {error}") from error

    def dump(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as JSON values. Raises pydantic.ValidationError, also for what JSON cannot give back."""
        checked = self.model.model_validate(dict(arguments))
        given = checked.model_fields_set
        # Read it back now: a value that JSON loses (NaN) is refused in the caller's unit, not when the job runs.
        self.model.model_validate_json(checked.model_dump_json(by_alias=True, include=given))
        return checked.model_dump(mode="json", by_alias=True, include=given)

    def load(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as the function wants them. Raises pydantic.ValidationError when its signature has changed."""
        checked = self.model.model_validate_json(to_json(stored))
        return {self.names[field]: getattr(checked, field) for field in checked.model_fields_set}


def _split(function: Callable[..., Any]) -> tuple[inspect.Parameter | None, list[inspect.Parameter]]:
    parameters = list(inspect.signature(function).parameters.values())
    return (parameters[0], parameters[1:]) if parameters else (None, [])


def _default(parameter: inspect.Parameter) -> Any:
    return ... if parameter.default is inspect.Parameter.empty else parameter.default


def _check(parameter: inspect.Parameter, job_name: str) -> None:
    if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
        raise ConfigurationError(f"job {job_name!r}: {parameter.name} must be keyword-only: put it after a `*`")
    if parameter.annotation is inspect.Parameter.empty:
        raise ConfigurationError(f"job {job_name!r}: {parameter.name} has no annotation")
    if parameter.name in _RESERVED:
        raise ConfigurationError(f"job {job_name!r}: {parameter.name} is a name that enqueue() uses itself")


def _hints(function: Callable[..., Any], parameters: list[inspect.Parameter]) -> dict[str, Any]:
    # Only the payload is resolved: `Session` may well be imported for the type checker alone.
    wanted = SimpleNamespace(__annotations__={parameter.name: parameter.annotation for parameter in parameters})
    return get_type_hints(wanted, globalns=function.__globals__, include_extras=True)
