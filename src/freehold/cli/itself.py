"""The command line run again, as a process of its own: an application as it stands on disk now, imported afresh."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from freehold.errors import ConfigurationError


def run_in(folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """What `freehold …` prints in a folder. environ: instead of this process's.

    Raises ConfigurationError with what it said where it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "freehold.cli", *arguments],
        cwd=folder,
        env=dict(environ) if environ is not None else None,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().removeprefix("freehold: ")
        raise ConfigurationError(f"freehold {' '.join(arguments)}: {said}")
    return done.stdout


def development_in(scratch: Path) -> dict[str, str]:
    """The environment of a development machine on which nothing is set; what it keeps goes to `scratch`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
    return {**kept, "FREEHOLD_VAR_DIR": str(scratch)}
