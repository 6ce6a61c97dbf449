"""`freehold settings`: what applies here, or what may be set."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from freehold.cli.output import AsJson, write_rows
from freehold.cli.target import attribute_at, project_table
from freehold.errors import ConfigurationError
from freehold.settings import ServiceSettings, Settings, describe, env_example


def command(
    *,
    json: AsJson = False,
    example: Annotated[bool, typer.Option("--example", help="Print an .env.example with every setting.")] = False,
) -> None:
    r"""List the settings as they apply here, checked, secrets masked.

    A service's own are listed too where pyproject.toml names them:
    \[tool.freehold] settings = ["bookstore.settings:BookstoreSettings"].
    """
    classes: list[type[ServiceSettings]] = [Settings, *_own_classes()]
    if example:
        sys.stdout.write(env_example(*classes))
        return
    rows = {row.name: asdict(row) for cls in classes for row in describe(cls.load())}
    write_rows(list(rows.values()), as_json=json, columns=("name", "value", "description"))


def _own_classes() -> list[type[ServiceSettings]]:
    found: list[type[ServiceSettings]] = []
    for named in project_table().get("settings", []):
        cls = attribute_at(named)
        if not (isinstance(cls, type) and issubclass(cls, ServiceSettings)):
            raise ConfigurationError(f"[tool.freehold] settings: {named} is not a subclass of ServiceSettings.")
        found.append(cls)
    return found
