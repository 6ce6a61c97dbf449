"""JSON merge patch (RFC 7396) on typed values: absent keeps, null removes, objects merge, arrays are replaced whole."""

from __future__ import annotations

from typing import Any

from pydantic import MISSING, BaseModel
from pydantic_core import PydanticCustomError

from freehold.errors import FieldError, Invalid


def merge_patch(target: Any, patch: Any) -> Any:
    """The result of a patch on a JSON value, as RFC 7396 section 2 computes it. Neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def changed_values(row: object, changes: BaseModel) -> dict[str, Any]:
    """The new values by attribute, of the fields that were sent and no others.

    An object sent for a JSON column is merged into what `row` holds; a nested schema is merged in its JSON form.
    Whether null is allowed was decided by the schema.
    """
    found: dict[str, Any] = {}
    for name in type(changes).model_fields:
        if name not in changes.model_fields_set or (value := getattr(changes, name)) is MISSING:
            continue
        value = _plain(value)
        if isinstance(value, dict):
            value = merge_patch(getattr(row, name, None), value)
        found[name] = value
    return found


def recheck(schema: type[BaseModel], row: object, values: dict[str, Any]) -> None:
    """Run the "after" model validators of a create schema on the row as it will be.

    They speak of several fields together, which a patch alone does not hold. Raises Invalid. Does nothing when the
    row lacks a field of the schema: then the schema does not describe the row.
    """
    checks = _checks(schema)
    names = schema.model_fields.keys()
    if not checks or any(name not in values and not hasattr(row, name) for name in names):
        return
    whole = schema.model_construct(**{name: values[name] if name in values else getattr(row, name) for name in names})
    for check in checks:
        try:
            getattr(whole, check.cls_var_name)()
        except PydanticCustomError as error:
            raise Invalid(errors=[FieldError(error.type, error.message(), pointer="")]) from error
        except (ValueError, AssertionError) as error:
            raise Invalid(errors=[FieldError("value_error", str(error), pointer="")]) from error


def has_checks(schema: type[BaseModel]) -> bool:
    """Whether `recheck` has anything to run."""
    return bool(_checks(schema))


def _checks(schema: type[BaseModel]) -> list[Any]:
    return [each for each in schema.__pydantic_decorators__.model_validators.values() if each.info.mode == "after"]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    return [_plain(item) for item in value] if isinstance(value, list) else value
