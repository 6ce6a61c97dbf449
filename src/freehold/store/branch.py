"""Further views of an open connection: the same transaction, another scope."""

from __future__ import annotations

import copy
from typing import NoReturn

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from freehold.resource.principal import Principal
from freehold.store.compiler import Scopes
from freehold.store.protection import Grant
from freehold.store.scope import SCOPE_OPTION, Scope


class CommitRefused(Exception):
    """Inner code called commit() or rollback(). The unit of work commits once, at its end; use flush()."""


def branch(
    connection: AsyncConnection, scopes: Scopes, principal: Principal, grant: Grant | None
) -> tuple[AsyncConnection, Scope]:
    """A second view of an open connection: same transaction, other dialect (which rules) and scope (whose)."""
    assert connection.sync_connection is not None
    inner, scope = _branch(connection.sync_connection, scopes, principal, grant)
    return AsyncConnection(connection.engine, inner), scope


def branch_sync(connection: Connection, scopes: Scopes, principal: Principal) -> Connection:
    """The same, below the asynchronous layer."""
    return _branch(connection, scopes, principal, None)[0]


def _branch(
    connection: Connection, scopes: Scopes, principal: Principal, grant: Grant | None
) -> tuple[Connection, Scope]:
    dialect, shape = scopes.dialect(principal, grant)
    scope = Scope(principal, shape)
    inner = copy.copy(connection)
    inner.dialect = dialect
    # `execution_options()` would change the options in place for every view; these belong to this one.
    inner._execution_options = inner._execution_options.union({SCOPE_OPTION: scope})  # noqa: SLF001
    inner.commit = inner.rollback = _refuse  # type: ignore[method-assign]
    return inner, scope


def _refuse() -> NoReturn:
    raise CommitRefused("the unit of work commits once, at its end: use flush(), or raise to roll back")
