"""Set-up that the tests of one module share."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """For fixtures of a module, which the suite's own, made anew for each test, cannot serve."""
    return "asyncio"
