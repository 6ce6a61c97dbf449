"""Where an error in somebody's module comes from: their own files and lines, without a frame of the frameworks'."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

from freehold.errors import ConfigurationError

_MOST_LINES = 10
_OURS = Path(__file__).parents[1]


def refusal(module_name: str, error: Exception) -> ConfigurationError:
    """What is wrong with a module that cannot be imported, as one message: error, then the way to it, innermost last."""
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError) and error.filename is not None:
        said = f"{type(error).__name__}: {error.msg}"
        line = (error.text or "").strip()
        return ConfigurationError(
            f"{module_name} cannot be imported: {said}\n  {_at(error.filename, error.lineno, line)}"
        )
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(frame.filename)]
    way = "".join(f"\n  {_at(frame.filename, frame.lineno, frame.line or '')}" for frame in frames[-_MOST_LINES:])
    return ConfigurationError(f"{module_name} cannot be imported: {said}{way}")


def _is_theirs(filename: str) -> bool:
    if filename.startswith("<"):
        return False
    path = Path(filename)
    foreign = [_OURS, *(Path(sysconfig.get_path(name)) for name in ("purelib", "stdlib"))]
    return not any(path.is_relative_to(folder) for folder in foreign)


def _at(filename: str, lineno: int | None, line: str) -> str:
    path = Path(filename)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{shown}:{lineno or 1}  {line}".rstrip()
