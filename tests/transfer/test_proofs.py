"""The generated proofs know exports, imports and bulk operations: who may, and that nobody learns what is hidden."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.transfer.store import Item, Order, OrderLine, make
from tests.web.shelf import ADA, BOB, STAFF

from freehold import Principal
from freehold.testing import Scene, Stage, access_table, non_interference

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
CALLERS = {
    "ada": Principal(id=ADA), "bob": Principal(id=BOB), "staff": Principal(id=STAFF, roles=frozenset({"staff"})),
}  # fmt: skip


async def seed(stage: Stage) -> Scene:
    """An order each, and an item that staff alone may see."""
    shown = await stage.make(Item, sku="a", title="Apple", is_hidden=False, cost=7, is_sold=False)
    hidden = await stage.make(Item, sku="h", title="Heirloom", is_hidden=True, cost=9, is_sold=False)
    mine = await stage.make(Order, buyer_id=ADA, label="mine", is_paid=False)
    other = await stage.make(Order, buyer_id=BOB, label="other", is_paid=False)
    line = await stage.make(OrderLine, order_id=other.id, item_id=shown.id, count=1)
    await stage.make(OrderLine, order_id=mine.id, item_id=shown.id, count=2)
    return Scene(CALLERS, secrets={"ada": [other, line, hidden]}, cells={"ada": [(shown, "cost")]})


async def test_Z01_every_operation_answers_every_caller_as_declared(tmp_path: Path) -> None:
    app = make(f"sqlite+aiosqlite:///{tmp_path}/store.db", tmp_path)
    lines = await access_table(app, seed, bodies={"order_payment": {"coins": 1}}, may_refuse={"import_items"})
    assert {line.verdict for line in lines} == {"right"}
    assert {"export_items", "import_items", "create_items_batch", "update_orders_batch"} <= {
        line.operation for line in lines
    }


@pytest.mark.proof
async def test_Z02_Z05_what_is_hidden_changes_no_answer(tmp_path: Path) -> None:
    app = make(f"sqlite+aiosqlite:///{tmp_path}/store.db", tmp_path)
    done = await non_interference(app, seed)
    assert done
