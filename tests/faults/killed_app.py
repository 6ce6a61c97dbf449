"""Imba that kills its own process at a chosen point of a write. Served by test_kill.

The file KILL_FILE names the point at which the next write is the last; it is gone after it.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from services.imba.service import build
from sqlalchemy import event

from freehold.store.outbox import Event
from freehold.store.session import Session
from freehold.store.touched import Change, Watchers

app = build()


def _at(point: str) -> None:
    file = Path(os.environ["KILL_FILE"])
    if file.exists() and file.read_text() == point:
        file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def _after_statement(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
    # A write begins by looking for its key, and ends by keeping the record of it beside the effect.
    if statement.startswith("SELECT freehold_idempotency"):
        _at("begun")
    elif statement.startswith("INSERT INTO freehold_idempotency"):
        _at("written")


class _AfterCommit:
    """A watcher that is told when a commit is over, before the answer is sent."""

    def joins(self, _: Change) -> bool:
        return False

    async def will_change(self, change: Change) -> None: ...

    async def has_changed(self, change: Change) -> None:
        if "properties" in change.tables:  # and not what the housekeeping commits meanwhile
            _at("committed")

    async def has_been_replaced(self) -> None: ...


async def _hear(_: Session, __: Event) -> None:
    """Somebody waits for these events, so each write owes one."""


for _name in ("properties.created", "reservations.created"):
    app.outbox.subscribe(_name, _hear)
event.listen(app.database.engine.sync_engine, "after_cursor_execute", _after_statement)
app.database.parts[Watchers].add(_AfterCommit())
