"""What an application holds in memory, put back after a test."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freehold.traffic.limits_memory import MemoryLimiter

if TYPE_CHECKING:
    from freehold.web.app import Freehold


@contextmanager
def restored(app: Freehold) -> Iterator[None]:
    """Put back, after the block, what a test may have changed.

    The parts of the database, overridden dependencies, `app.state`, who authenticates, subscribers of events; quotas
    that were used up are whole again, and files that were added to the var folder are gone. Counted metrics stay.
    """
    with ExitStack() as stack:
        held = (app.database.parts, app.dependency_overrides, app.state._state, app.outbox._handlers)  # noqa: SLF001
        for mapping in held:
            stack.callback(_put_back, mapping, {key: _copied(value) for key, value in mapping.items()})
        runtime = app.state.freehold
        for each in dataclasses.fields(runtime):
            stack.callback(setattr, runtime, each.name, _copied(getattr(runtime, each.name)))
        stack.callback(_remove_others, app.settings.var_dir, set(_files(app.settings.var_dir)))
        stack.callback(_refill, app)
        yield


def _copied(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value


def _put_back(mapping: dict[Any, Any], before: dict[Any, Any]) -> None:
    mapping.clear()
    mapping.update(before)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _remove_others(folder: Path, kept: set[Path]) -> None:
    for path in set(_files(folder)) - kept:
        path.unlink(missing_ok=True)


def _refill(app: Freehold) -> None:
    if isinstance(app.traffic.limiter, MemoryLimiter):
        app.traffic.limiter.clear()
