"""A passphrase for a command: from a file, from the environment, or from whoever sits at the terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from freehold.errors import ConfigurationError

VARIABLE = "FREEHOLD_BACKUP_PASSPHRASE"
Passphrase = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help=f"Its first line is the passphrase; or {VARIABLE}, for other users of the machine see the arguments of a command.",
    ),
]


def given_passphrase(file: Path | None, *, twice: bool) -> str | None:
    """The passphrase; None where nobody gives one. twice: ask for it again, since a slip would cost the secret."""
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
        except OSError as error:
            raise ConfigurationError(f"--passphrase-file: {file} cannot be read ({error.strerror}).") from None
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE]
    if not sys.stdin.isatty():
        return None
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True))
