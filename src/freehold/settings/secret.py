"""The secret of a development machine: made once, kept in the var folder, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from freehold.errors import ConfigurationError

FILE = "secret"


def development_secret(var_dir: Path) -> str:
    """Read the secret of this var folder; make it where there is none.

    Processes that start at once agree on one: each writes its own under another name and links it into place,
    which succeeds for exactly one, and all read what stands there then.
    Raises ConfigurationError where the folder cannot be written.
    """
    target = var_dir / FILE
    try:
        var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not target.exists():
            _place(target)
        if target.stat().st_mode & 0o077:
            target.chmod(0o600)
        found = target.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ConfigurationError(
            f"FREEHOLD_VAR_DIR: {var_dir} cannot hold the secret ({error.strerror}). "
            "Name a folder that can be written, or set FREEHOLD_SECRET."
        ) from None
    if not found:
        raise ConfigurationError(f"FREEHOLD_SECRET: {target} is empty. Remove the file and a new one is made.")
    return found


def _place(target: Path) -> None:
    draft = target.with_name(f"{FILE}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        target.hardlink_to(draft)
    except FileExistsError:
        pass  # another process was first; its secret counts
    finally:
        draft.unlink()
