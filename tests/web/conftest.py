"""The house and the client of a module that has an `app` fixture."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from freehold import Freehold
from freehold.testing import House, Stage, opened


@pytest.fixture(scope="module")
async def house(app: Freehold) -> AsyncIterator[House]:
    """The module's application, running for all its tests."""
    async with opened(app) as found:
        yield found


@pytest.fixture
async def real_stage(house: House) -> AsyncIterator[Stage]:
    """The application for one test, with real commits and connections; the test runs jobs itself."""
    async with house.stage(isolate=False, workers=False) as found:
        yield found


@pytest.fixture
async def real_client(real_stage: Stage) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of `real_stage`."""
    async with real_stage.client() as found:
        yield found
