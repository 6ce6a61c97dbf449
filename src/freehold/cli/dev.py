"""`freehold dev`: serve, and start again when a source file changes."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from freehold.cli import listener
from freehold.cli.serve import Host, Port, announce_address
from freehold.cli.target import App, load, name_of
from freehold.errors import ConfigurationError
from freehold.settings import Environment, Settings


def command(target: App = None, *, host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve APP for development: one process, started again at each change of a .py file below this folder."""
    import uvicorn
    from rich.console import Console
    from uvicorn.supervisors import ChangeReload

    from freehold.cli.process import run_child

    named = name_of(target)
    socket = listener.bind(host, port)
    announce_address(listener.address(socket))
    if Settings.load().env is Environment.PRODUCTION:
        raise ConfigurationError("freehold dev is for development; FREEHOLD_ENV is production. Use freehold serve.")
    title = load(named).title
    Console(highlight=False).print(f"{title} is served at {listener.address(socket)} (watching {Path.cwd()})")
    os.environ.setdefault("FREEHOLD_LOG_LEVEL", "debug")
    # The supervisor only needs to know what to watch; the child serves as `freehold serve` does.
    watched = uvicorn.Config(named, reload=True, reload_dirs=[str(Path.cwd())], log_config=None, log_level="warning")
    ChangeReload(watched, target=partial(run_child, named), sockets=[socket]).run()
