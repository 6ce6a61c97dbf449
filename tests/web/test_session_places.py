"""C06: the list of one's log-ins shows device and place, on the API and on the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from freehold import Freehold
from freehold.errors import ConfigurationError
from freehold.testing import House, Stage, opened
from tests.geoip import written
from tests.web.pages.service import application
from tests.web.pages.visitor import EMAIL, PASSWORD, Visitor

pytestmark = pytest.mark.anyio
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/605"


@pytest.fixture(scope="module", params=[True, False], ids=["known", "unknown"])
async def placed(
    request: pytest.FixtureRequest, module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[House, bool]]:
    var = tmp_path_factory.mktemp("var")
    settings = {"geoip_file": written(var / "places.mmdb")} if request.param else {}
    async with opened(application(module_database, var, settings=settings)) as house:
        yield house, request.param


@pytest.fixture
async def stage(placed: tuple[House, bool]) -> AsyncIterator[Stage]:
    async with placed[0].stage() as found:
        yield found


def client_at(app: Freehold, address: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, client=(address, 4711))
    return httpx2.AsyncClient(transport=transport, base_url="https://testserver", headers={"User-Agent": PHONE})


async def log_in(client: httpx2.AsyncClient) -> dict[str, str]:
    form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD}
    return {"Authorization": f"Bearer {(await client.post('/v1/auth/token', data=form)).json()['access_token']}"}


async def test_C06_a_log_in_shows_device_and_place(stage: Stage, placed: tuple[House, bool]) -> None:
    visitor = Visitor(stage.app, language="es")
    await visitor.register()
    await log_in(client_at(stage.app, "203.0.113.7"))
    client = client_at(stage.app, "192.0.2.9")
    bearer = await log_in(client)
    listed: list[dict[str, Any]] = (await client.get("/v1/auth/sessions", headers=bearer)).json()["items"]
    found = {each["address"]: (each["device"], each["place"]) for each in listed}
    berlin = "Berlin, Germany" if placed[1] else "unknown"
    assert found == {"203.0.113.7": ("Safari on iPhone", berlin), "192.0.2.9": ("Safari on iPhone", "unknown")}
    await visitor.log_in()
    page = await visitor.open("/account/sessions")
    assert ("Berlín, Alemania · 203.0.113.7" in page) is placed[1]
    assert "lugar desconocido · 192.0.2.9" in page
    assert "Safari en iPhone" in page


def test_a_database_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="FREEHOLD_GEOIP_FILE"):
        application(f"sqlite+aiosqlite:///{tmp_path}/a.db", tmp_path, settings={"geoip_file": tmp_path / "none.mmdb"})
