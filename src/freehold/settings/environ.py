"""From the environment to named texts, and from faults to sentences that name the variable."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from dotenv import dotenv_values
from pydantic import ValidationError

from freehold.errors import ConfigurationError


def read(environ: Mapping[str, str] | None, *, env_file: Path | None) -> dict[str, str]:
    """The environment, over the `.env` file where that may be read."""
    if environ is None:
        environ = os.environ
        env_file = env_file or Path(".env")
    if env_file is None or environ.get("FREEHOLD_ENV", "development") != "development" or not env_file.is_file():
        return dict(environ)
    beneath = {name: value for name, value in dotenv_values(env_file, interpolate=False).items() if value is not None}
    if beneath.get("FREEHOLD_ENV", "development") != "development":
        raise ConfigurationError(
            f"FREEHOLD_ENV={beneath['FREEHOLD_ENV']} stands in {env_file}, which is read in development only. "
            "Set it in the environment of the process."
        )
    return {**beneath, **environ}


def refuse_unknown(values: Iterable[str], *, prefix: str, known: Iterable[str], let_through: tuple[str, ...]) -> None:
    """Stop at the names under our prefix that are no setting: a misspelt one would silently not apply."""
    candidates = set(known)
    unknown = [
        name
        for name in sorted(values)
        if name.upper().startswith(prefix)
        and name not in candidates
        and not any(fnmatchcase(name, pattern) for pattern in let_through)
    ]
    if unknown:
        raise ConfigurationError("\n".join(_suggest(name, candidates, prefix) for name in unknown))


def _suggest(name: str, candidates: set[str], prefix: str) -> str:
    # Compared without the prefix, which would make any two names look alike.
    ends = {candidate.removeprefix(prefix) for candidate in candidates if candidate.startswith(prefix)}
    near = get_close_matches(name.upper().removeprefix(prefix), ends, n=1, cutoff=0.6)
    remedy = f"Did you mean {prefix}{near[0]}?" if near else "Remove it; `freehold settings` lists those there are."
    return f"{name} is not a setting. {remedy}"


def faults_of(error: ValidationError, variable: Callable[[str], str]) -> str:
    """One sentence for each fault, without the values that were given."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        if fault["type"] == "default_factory_not_called":
            continue  # a default that waits for a field which is itself at fault
        message = fault["msg"].removeprefix("Value error, ")
        # A check over several settings has no place; it names them itself.
        lines.append(f"{variable(str(fault['loc'][0]))}: {message}" if fault["loc"] else message)
    return "\n".join(lines)
