"""Who acts, told to the database itself: its own wall (policies, triggers) asks nobody else.

On PostgreSQL the caller is one setting that ends with the transaction and travels in the message of its BEGIN: no
round trip, and nothing is left on a connection that a pooler hands to the next transaction. A statement of another
scope in the same transaction (`unscoped`) tells it anew, before it runs. On SQLite it is a value beside the connection.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from functools import cached_property
from math import ceil
from typing import Any, Protocol
from uuid import UUID

import orjson

from freehold.resource.principal import Principal
from freehold.store.protection import Grant


class Teller(Protocol):
    """Tells a connection who acts from now on; None for nobody."""

    def tell(self, connection: Any, told: Told | None, *, at_once: bool = True) -> None:
        """connection: the pool's, as SQLAlchemy hands it to an execution context. at_once: also where that costs a message."""
        ...

    def forget(self, connection: Any) -> None:
        """What was told may have been undone, by a part that was rolled back: tell it again."""
        ...


class Told:
    """What the database is told of one scope.

    bare: tables that this one statement reads past their read rule: a rule looks at them, or a row leaves the caller's
    sight. locks: those whose rows it locks without a right to change them. The compiler has narrowed that statement;
    policies alone could let none of this through.
    """

    def __init__(
        self,
        principal: Principal,
        grant: Grant | None,
        bare: Collection[str] = (),
        locks: Collection[str] = (),
    ) -> None:
        self.principal = principal
        self.grant = grant
        self.bare = bare
        self.locks = locks

    @cached_property
    def text(self) -> str:
        """As JSON."""
        return orjson.dumps(self.content, default=str, option=orjson.OPT_SORT_KEYS).decode()

    @cached_property
    def content(self) -> dict[str, Any]:
        """What rules may ask, and nothing else."""
        caller = self.principal
        if caller.is_system:
            return {"system": caller.reason}
        content: dict[str, Any] = {
            "id": caller.id,
            "key": caller.key_id if caller.id is None else None,
            "roles": sorted(caller.roles) or None,
            "scopes": None if caller.scopes is None else sorted(caller.scopes),
            "claims": dict(caller.claims) or None,
            **_authentication(caller),
            "grant": self.grant and self.grant.name,
            "bare": sorted(self.bare) or None,
            "locks": sorted(self.locks) or None,
        }
        return {key: value for key, value in content.items() if value is not None}


def _authentication(caller: Principal) -> dict[str, Any]:
    """What `recent` and `with_factor` ask. The age is rounded up: what is too old by a part of a second is too old."""
    if caller.id is None:
        return {}
    age = caller.authentication_age
    return {"age": None if age is None else ceil(age), "factor": True if caller.has_factor else None}


class SqliteTeller:
    """Keeps the caller beside the connection, where the functions of its triggers find it."""

    INFO = "fh_told"

    def tell(self, connection: Any, told: Told | None, *, at_once: bool = True) -> None:
        """From now on."""
        connection.info[self.INFO] = told

    def forget(self, connection: Any) -> None:
        """Nothing is undone with a part."""


def register_caller(connection: Any, info: dict[str, Any]) -> None:
    """Give a connection of SQLite the functions that triggers ask. info: of its place in the pool."""

    def content() -> dict[str, Any]:
        told: Told | None = info.get(SqliteTeller.INFO)
        return {} if told is None else told.content

    def scope(name: str) -> bool:
        told = content()
        return ("id" in told or "key" in told) and ("scopes" not in told or name in told["scopes"])

    connection.create_function("fh_caller", 1, lambda key: _stored(content().get(key)))
    connection.create_function("fh_claim", 1, lambda name: _stored(content().get("claims", {}).get(name)))
    connection.create_function("fh_role", 1, lambda name: name in content().get("roles", ()))
    connection.create_function("fh_scope", 1, scope)


def _stored(value: Any) -> Any:
    """A value as SQLAlchemy's types store it on SQLite."""
    match value:
        case UUID():
            return value.hex
        case datetime():
            return value.isoformat(sep=" ")
        case date():
            return value.isoformat()
    return value
