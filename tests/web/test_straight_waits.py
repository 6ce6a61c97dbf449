"""A write by prepared statements that cannot be done now is told so at once: it is not tried a second time."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.util import greenlet_spawn

from freehold import system
from freehold.store.changed_rows import ChangedRows
from freehold.store.straight import Straight
from freehold.testing import Stage
from tests.web.test_straight_attacks import ADA, Note, app

__all__ = ["app"]

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "module_database", ["postgresql"], indirect=True
)  # SQLite: one writer, nobody else holds a row
async def test_V11_a_row_that_another_holds_is_waited_for_once(
    real_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = []
    load = ChangedRows.load

    async def impatient(rows: ChangedRows, straight: Straight, key: Any) -> Any:
        await greenlet_spawn(straight.connection.exec_driver_sql, "SET LOCAL lock_timeout = '20ms'")
        return await load(rows, straight, key)

    def hear(_: Any, __: Any, statement: str, *___: Any) -> None:
        waits.extend([statement] if "FOR NO KEY UPDATE" in statement else [])

    monkeypatch.setattr(ChangedRows, "load", impatient)
    note = await real_stage.make(Note, text="was", owner_id=ADA)
    engine = real_stage.database.engine.sync_engine
    async with real_stage.database.writing(system("a test")) as unit, real_stage.as_user(id=ADA) as ada:
        await unit.session.execute(select(Note.id).where(Note.id == note.id).with_for_update())
        event.listen(engine, "before_cursor_execute", hear)
        try:
            answer = await ada.patch(f"/v1/notes/{note.id}", json={"text": "is"})
        finally:
            event.remove(engine, "before_cursor_execute", hear)
    assert (answer.status_code, len(waits)) == (503, 1)
