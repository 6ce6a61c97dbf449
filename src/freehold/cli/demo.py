"""Demo data. A service that has some holds it in a module `demo` beside its app::

async def load(database: Database, *, everything: bool) -> None: ...   # at most once; refuses in production
PASSWORD = "..."                                                       # of every account
ACCOUNTS = (Account(email=..., purpose=...), ...)                      # printed at the start
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from fastapi import FastAPI


async def load(app: FastAPI, named: str, *, everything: bool) -> None:
    """Start the app, so that its tables are there, and load. Raises ConfigurationError where there is no demo."""
    from freehold.web.app import Freehold

    if not isinstance(app, Freehold):
        raise ConfigurationError("--demo needs a Freehold app: the demo is loaded into its database.")
    module = _module(named)
    async with app.running():
        await module.load(app.database, everything=everything)


def accounts(named: str) -> list[str]:
    """One line for each account to log in as, and their password."""
    module = _module(named)
    people = getattr(module, "ACCOUNTS", ())
    if not people:
        return []
    width = max(len(each.email) for each in people)
    lines = [f"{each.email:<{width}}  {each.purpose}" for each in people]
    return [f"accounts, all with the password: {module.PASSWORD}", *lines]


def _module(named: str) -> ModuleType:
    name = f"{named.partition(':')[0].rpartition('.')[0]}.demo".lstrip(".")
    if find_spec(name) is None:
        raise ConfigurationError(f"--demo: there is no module {name} beside the app.")
    return import_module(name)
