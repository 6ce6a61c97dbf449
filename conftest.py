"""Where the suite keeps its files, in which order its tests run, which are slow, and what is looked through for garbage.

In memory where there is room, so that SQLite does not wait for a disk at each commit.
"""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")  # noqa: S108 (pytest makes a folder in it that is its own)
_ROOM_BYTES = 2 * 1024**3

# Read by pytest before it makes the first folder; what somebody has set stands.
if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Whatever may take longer than others is no part of the fast subset."""
    if _allowed_seconds(item):
        item.add_marker(pytest.mark.slow)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what may take longest, so that no core is left alone with it at the end."""
    items.sort(key=_allowed_seconds, reverse=True)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays: the collector need not walk it again."""
    _settle()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After a module, what is left of it are caches; every full collection would walk them in each later test."""
    if nextitem is None or nextitem.path != item.path:
        _settle()


def _settle() -> None:
    gc.collect()
    gc.freeze()


def _allowed_seconds(item: pytest.Item) -> float:
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0]) if mark is not None else 0.0
