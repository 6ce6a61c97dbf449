"""What the references of a new resource point to, looked up in the application as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from freehold.cli.add_code import Target
from freehold.cli.add_fields import Field
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from freehold.web.app import Freehold


def targets_of(fields: Sequence[Field], service: Freehold) -> dict[str, Target]:
    """By field name. Raises ConfigurationError for a reference to what the service does not have."""
    known = _known(service)
    found = {}
    for field in fields:
        if field.kind != "ref":
            continue
        name = field.arguments[0].replace("-", "_")
        if name not in known:
            raise ConfigurationError(
                f"field {field.name}:ref:{field.arguments[0]}: there is no such resource here; "
                f"there are {', '.join(sorted(known)) or 'none'}. A resource that points to itself is written by hand."
            )
        found[field.name] = known[name]
    return found


def _known(service: Freehold) -> dict[str, Target]:
    found = {}
    if service.identity is not None:
        user: Any = service.identity.user
        found[user.__tablename__] = Target(user.__tablename__, is_account=True)
    for bound in service.mounted.bounds:
        if bound.key_name != "id" or str(bound.key.type).upper() not in {"CHAR(32)", "UUID"}:
            continue  # the column that is written is a UUID
        target = Target(
            bound.resource.table_name,
            model=bound.model.__name__,
            module=bound.model.__module__,
            owner=bound.owner or "",
        )
        found[bound.resource.name.replace("-", "_")] = found[bound.resource.table_name] = target
    return found
