"""The command line: one file per command. Imports that take long stand inside the command that needs them."""

from freehold.cli.entry import main

__all__ = ["main"]
