"""The event loop of tests, as a plugin of its own: of two fixtures with one name, the one registered last counts."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop that Freehold runs on. One for all tests of the process, so that an application can serve many."""
    return "asyncio"
