"""Demo data: real, loaded once, and never in production."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from freehold.errors import ConfigurationError
from freehold.testing import Person, Stage

from .. import demo
from ..settings import LibrarySettings

pytestmark = pytest.mark.anyio


async def test_is_loaded_once(stage: Stage, anonymous: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "TITLES", 30)
    said = io.StringIO()
    for _ in range(2):
        await demo.load(stage.database, console=Console(file=said, width=200))
    assert said.getvalue().count("Demo data: 30 titles") == 1
    form = {"grant_type": "password", "username": demo.PATRON.email, "password": demo.PASSWORD}
    token = (await anonymous.client.post("/v1/auth/token", data=form)).json()["access_token"]
    mine = await anonymous.get("/v1/loans?overdue=true&expand=book", Authorization=f"Bearer {token}")
    assert [loan["book"]["times_borrowed"] for loan in mine.json["items"]] == [1]
    fines = await anonymous.get("/v1/fines", Authorization=f"Bearer {token}")
    assert [fine["amount"] > 0 for fine in fines.json["items"]] == [True]


async def test_is_refused_in_production(stage: Stage) -> None:
    stage.database.parts[LibrarySettings] = LibrarySettings(env="production")
    with pytest.raises(ConfigurationError, match="DEMO"):
        await demo.load(stage.database)
