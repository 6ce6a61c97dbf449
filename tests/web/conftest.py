"""The client of a module that has an `app` fixture."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from freehold import Freehold
from tests.web.shelf import served


@pytest.fixture
async def client(app: Freehold) -> AsyncIterator[httpx2.AsyncClient]:
    async with served(app) as found:
        yield found
