"""Engines over PostgreSQL: how long they wait, what a pooler between lets through, and whether policies apply to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import event, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from freehold.errors import ConfigurationError
from freehold.store.caller import Teller

# A client whose machine is gone says nothing more: the server finds out within 11 s, and gives back what that client held.
_KEEPALIVES: Final = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "11000",
}
_CHECK_MS: Final = "1000"  # so often a statement that runs or waits looks whether its client is still there
_RESERVED: Final = "superuser_reserved_connections"
_EXEMPT: Final = text(
    """
SELECT rolsuper OR rolbypassrls OR EXISTS (
         SELECT FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relname = ANY(:tables) AND pg_table_is_visible(c.oid)
            AND NOT (c.relrowsecurity AND c.relforcerowsecurity) AND pg_has_role(c.relowner, 'USAGE'))
  FROM pg_roles WHERE rolname = current_user
"""
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long statements run and wait, in seconds, and whether a transaction pooler stands between.

    A pooler hands each transaction another connection of the server: nothing may be left on one, not even a prepared
    statement or a time limit.
    """

    statement_seconds: float = 30.0
    lock_seconds: float = 5.0
    pooled: bool = False

    @property
    def settings(self) -> Mapping[str, str]:
        """As the server calls them, in milliseconds."""
        statement_ms = str(int(self.statement_seconds * 1000))
        return {
            "statement_timeout": statement_ms,
            "lock_timeout": str(int(self.lock_seconds * 1000)),
            "idle_in_transaction_session_timeout": statement_ms,
            "client_connection_check_interval": _CHECK_MS,
        }


def engine(url: URL, *, pool_size: int, patience: Patience, wait_seconds: float = 10.0) -> AsyncEngine:
    """An engine whose connections can say with their BEGIN who acts. Nothing connects yet.

    wait_seconds: for one of them, where all are in use.
    """
    from freehold.store.caller_postgresql import CallerConnection  # noqa: PLC0415 (the driver is an extra)

    made = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=wait_seconds,
        hide_parameters=True,
        connect_args={"timeout": 10, "connection_class": CallerConnection, **_arguments(patience)},
    )
    if patience.pooled:
        always = "".join(f"SET LOCAL {name} = {value}; " for name, value in patience.settings.items())

        def connected(connection: Any, _: object) -> None:
            connection.driver_connection.fh_always = always

        event.listen(made.sync_engine, "connect", connected)
    return made


def _arguments(patience: Patience) -> dict[str, Any]:
    if patience.pooled:
        return {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"fh_{uuid4().hex}",
        }
    return {"server_settings": {**patience.settings, **_KEEPALIVES, "timezone": "UTC", "jit": "off"}}


async def room(connection: AsyncConnection) -> int:
    """How many connections the server has for all who are no superusers."""
    shown = [await connection.scalar(text(f"SHOW {each}")) for each in ("max_connections", _RESERVED)]
    return int(shown[0]) - int(shown[1])


async def teller(engine: AsyncEngine, tables: Sequence[str]) -> Teller | None:
    """Who tells policies about callers; None where they do not apply to the log-in: to a superuser, or the tables' owner.

    Raises ConfigurationError where they apply and the driver is not asyncpg.
    """
    async with engine.connect() as connection:
        if await connection.scalar(_EXEMPT, {"tables": list(tables)}):
            return None
    if engine.driver != "asyncpg":
        raise ConfigurationError(
            f"row-level security applies to the log-in {engine.url.username!r}, and {engine.driver} cannot tell it who "
            "acts: use postgresql+asyncpg://…"
        )
    from freehold.store.caller_postgresql import PostgresTeller  # noqa: PLC0415 (the driver is an extra)

    return PostgresTeller()
