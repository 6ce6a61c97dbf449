"""The steps of a request, told apart by the code that runs: no clock is read in it, so nothing slows it down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from freehold.observe.sampling import Frame, Samples

_HERE = str(Path(__file__).parents[1])

# From the innermost frame outwards, the first that is known decides: what the toolkit calls belongs to the caller's step.
STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "guard": ("web/guard", "web/admission", "identity/", "traffic/", "web/preconditions"),
    "plan": ("query/", "store/plan", "store/search", "store/lists", "web/paging"),
    "encode": ("store/encode", "web/answer", "web/remembering"),
    "commit": ("store/unit", "store/trail", "store/audit", "store/outbox", "store/idempotency", "store/invariant"),
    "validate": ("web/body", "resource/"),
    "statement": ("store/", "remote/"),
    "edge": ("web/edge", "observe/"),
    "background": ("jobs/", "mail/", "webhooks/", "media/"),
    "dispatch": ("web/",),
}
_LIBRARIES: Final[Mapping[str, tuple[str, ...]]] = {
    "statement": ("/sqlalchemy/", "/asyncpg/", "/aiosqlite/", "/sqlite3/", "/greenlet/"),
    "validate": ("/pydantic/", "/pydantic_core/"),
    "dispatch": ("/starlette/", "/fastapi/"),
    "server": ("/uvicorn/", "/httptools/", "/uvloop/", "/asyncio/"),
}
SERVICE: Final = "own code"
OTHER: Final = "other"
ORDER: Final = (
    "server",
    "edge",
    "dispatch",
    "guard",
    "validate",
    "plan",
    "statement",
    "encode",
    "commit",
    SERVICE,
    "background",
    OTHER,
)


def step_of(stack: Iterable[Frame]) -> str:
    """The step that a stack belongs to. stack: outermost frame first."""
    for file, function in reversed(list(stack)):
        found = _toolkit(file, function) if file.startswith(_HERE) else _library(file)
        if found is not None:
            return found
    return OTHER


def shares(samples: Samples) -> dict[str, float]:
    """The share of each step, of all samples, in the order in which a request meets them."""
    counted: Counter[str] = Counter()
    for stack, number in samples.stacks.items():
        counted[step_of(stack)] += number
    whole = counted.total() or 1
    return {step: counted[step] / whole for step in ORDER if counted[step]}


def _toolkit(file: str, function: str) -> str | None:
    inside = file[len(_HERE) + 1 :]
    for step, places in STEPS.items():
        if inside.startswith(places):
            return step
    return None


def _library(file: str) -> str | None:
    for step, places in _LIBRARIES.items():
        if any(each in file for each in places):
            return step
    if "/site-packages/" in file or "/lib/python" in file or file.startswith("<"):
        return None  # whoever called it decides
    return SERVICE
