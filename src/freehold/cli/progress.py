"""How far long work is: bars on a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import TaskID

Told = Callable[[str, int, int], None]


@contextmanager
def shown() -> Iterator[Told]:
    """What to tell of each step: its name, what is done, and of how much (0: not known). On standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        steps: dict[str, TaskID] = {}

        def told(name: str, done: int, total: int) -> None:
            if name not in steps:
                steps[name] = bars.add_task(name, total=None)
            bars.update(steps[name], completed=done, total=total or None)

        yield told
