"""What Imba told its clients of version 1 stays true (N05)."""

from __future__ import annotations

from pathlib import Path

from freehold.contract import compare, read
from services.imba.app import app

FROZEN = Path(__file__).parents[1] / "contract.json"
REMEDY = "Where version 1 must break: freehold contract freeze --accept services.imba.app:app"


def test_N05_no_promise_of_the_frozen_contract_is_broken() -> None:
    broken = [
        f"{', '.join(each.operations)}: {each.what}" for each in compare(read(FROZEN), app.openapi()) if each.fails
    ]
    assert broken == [], REMEDY
