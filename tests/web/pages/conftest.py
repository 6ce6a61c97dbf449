"""A service with pages, and a person's browser that fills in forms without a script."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from freehold import Freehold
from freehold.testing import House, Stage
from tests.web.pages.service import application
from tests.web.pages.visitor import Visitor


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    return application(module_database, tmp_path_factory.mktemp("var"))


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    async with house.stage() as found:
        yield found


@pytest.fixture
def visitor(stage: Stage) -> Visitor:
    """Somebody who has never been here."""
    return Visitor(stage.app)


@pytest.fixture
async def member(stage: Stage, visitor: Visitor) -> Visitor:
    """Somebody with an account, logged in."""
    await visitor.register()
    await visitor.log_in()
    return visitor
