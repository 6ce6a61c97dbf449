"""Connections of asyncpg that say with their BEGIN who acts; imported where PostgreSQL is used."""

from __future__ import annotations

from typing import Any, Final

import asyncpg
from sqlalchemy.util import await_only

from freehold.store.caller import Told
from freehold.store.rule_text import quoted

SETTING: Final = "freehold.caller"


class CallerConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that says with each BEGIN who acts, and how long to wait where the server may not remember that."""

    fh_opening: str | None = None
    fh_in_force: str | None = None
    fh_always: str = ""

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        """Run; a BEGIN takes along what the transaction is to be told."""
        if not args and query.startswith("BEGIN"):
            self.fh_in_force, self.fh_opening = self.fh_opening, None
            told = "" if self.fh_in_force is None else set_caller(self.fh_in_force)
            query = f"{query.rstrip(';')}; {self.fh_always}{told}"
        done: str = await super().execute(query, *args, **options)
        return done


def set_caller(text: str) -> str:
    """The statement that tells a transaction who acts."""
    return f"SET LOCAL {SETTING} = {quoted(text)}"


class PostgresTeller:
    """Tells connections of asyncpg; those of an engine that was there first by a statement of its own."""

    def tell(self, connection: Any, told: Told | None, *, at_once: bool = True) -> None:
        """With the BEGIN that this statement is about to send, or before it in the transaction that runs."""
        adapted, raw = connection.dbapi_connection, connection.driver_connection
        text = "" if told is None else told.text
        if adapted._transaction is None:  # noqa: SLF001 (SQLAlchemy begins at the first statement, and says so nowhere else)
            if isinstance(raw, CallerConnection):
                raw.fh_opening = text
                return
            await_only(adapted._start_transaction())  # noqa: SLF001
        elif not at_once or getattr(raw, "fh_in_force", None) == text:
            return
        try:
            await_only(raw.execute(set_caller(text)))
        except Exception as error:  # noqa: BLE001 (the adapter knows them all)
            adapted._handle_exception(error)  # noqa: SLF001
        if isinstance(raw, CallerConnection):
            raw.fh_in_force = text

    def forget(self, connection: Any) -> None:
        """Tell it again at the next statement."""
        if isinstance(connection.driver_connection, CallerConnection):
            connection.driver_connection.fh_in_force = None
