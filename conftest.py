"""Where the suite keeps its files, which tests run, in which order, which are slow, and what is looked through for garbage.

In memory where there is room, so that SQLite does not wait for a disk at each commit.
"""

from __future__ import annotations

import gc
import os
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings
from tests import own_postgres

_MEMORY = Path("/dev/shm")  # noqa: S108 (pytest makes a folder in it that is its own)
_ROOM_BYTES = 2 * 1024**3

# A `python3` of a walk-through is the interpreter at hand, and not a version manager's shim, which costs five times as much.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

# Read by pytest before it makes the first folder; what somebody has set stands.
if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

# No generated case has a time limit, for that is the machine's; and the same cases come in each run, so that a change alone
# decides whether they pass: `make fuzz` looks for others. Fixtures may be shared by the cases of a test.
_SHARED = (HealthCheck.function_scoped_fixture, HealthCheck.differing_executors)
settings.register_profile(
    "suite",
    deadline=None,
    derandomize="FREEHOLD_TEST_FUZZ_CASES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, *_SHARED],
)
settings.load_profile("suite")

# Collecting loads what then stays, and each full look for garbage would walk all of it again: a quarter of the time it takes.
gc.disable()


# Where the database is not the subject, a test that could run on each kind runs on one of them: which one its name decides, so
# that every feature meets both. CI asks for both, and so may you: FREEHOLD_TEST_DATABASES=both make test.
DATABASES = "FREEHOLD_TEST_DATABASES"
_KINDS = ("sqlite", "postgresql")
_EITHER = (
    "services",
    "tests/behaviours",
    "tests/calendar",
    "tests/docs",
    "tests/examples",
    "tests/fuzz",
    "tests/identity",
    "tests/jobs",
    "tests/mail",
    "tests/media",
    "tests/testing",
    "tests/traffic",
    "tests/transfer",
    "tests/web",
    "tests/webhooks",
)


def pytest_configure(config: pytest.Config) -> None:
    """Decide once, for the processes of xdist too, on which kinds of database the tests run, and on which server."""
    own_postgres.start(config)
    os.environ.setdefault(DATABASES, "either" if _has_server() else "either=sqlite")


def _has_server() -> bool:
    address = urlsplit(os.environ.get("FREEHOLD_TEST_POSTGRES", "postgresql://127.0.0.1:5432"))
    if os.environ.get("FREEHOLD_REQUIRE_SERVICES") == "1":
        return True
    try:
        socket.create_connection((address.hostname or "127.0.0.1", address.port or 5432), timeout=1).close()
    except OSError:
        return False
    return True


def pytest_itemcollected(item: pytest.Item) -> None:
    """Whatever may take longer than others is no part of the fast subset."""
    if _allowed_seconds(item):
        item.add_marker(pytest.mark.slow)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the other kind of database, and begin with what may take longest: no core is left alone with it then."""
    left_out = _on_the_other_kind(items, os.environ[DATABASES])
    if left_out:
        config.hook.pytest_deselected(items=sorted(left_out, key=lambda item: item.nodeid))
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=_allowed_seconds, reverse=True)


def _on_the_other_kind(items: Sequence[pytest.Item], wanted: str) -> set[pytest.Item]:
    """wanted: a kind, for every test there is for it too; "either", for those whose subject is another, and "either=kind"."""
    if wanted == "both":
        return set()
    every, kept_kind = wanted in _KINDS, wanted.removeprefix("either=")
    by_kind: dict[str, dict[str, pytest.Item]] = {}
    for item in items:
        found = [kind for kind in _KINDS if kind in _parameters(item)]
        if len(found) == 1 and (every or item.nodeid.startswith(_EITHER)):
            by_kind.setdefault(item.nodeid.replace(found[0], "*"), {})[found[0]] = item
    left_out = set()
    for name, same in by_kind.items():
        kept = kept_kind if kept_kind in _KINDS else _KINDS[crc32(name.encode()) % 2]
        left_out |= {item for kind, item in same.items() if kind != kept and kept in same}
    return left_out


def _parameters(item: pytest.Item) -> Sequence[object]:
    callspec = getattr(item, "callspec", None)
    return [] if callspec is None else [each for each in callspec.params.values() if isinstance(each, str)]


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays: the collector need not walk it again."""
    gc.enable()
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
