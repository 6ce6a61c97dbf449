"""APP on the command line: `module:attribute`, or what `[tool.freehold] app` in ./pyproject.toml names."""

from __future__ import annotations

import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli.blame import refusal
from freehold.collector import paused
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from fastapi import FastAPI

_DEFAULT = "module:attribute; default: app in \\[tool.freehold] of ./pyproject.toml"
App = Annotated[str | None, typer.Argument(metavar="[APP]", help=_DEFAULT)]
AppOption = Annotated[str | None, typer.Option("--app", metavar="APP", help=_DEFAULT)]
"""The same as an option, for commands whose arguments are something else."""


def project_table() -> dict[str, Any]:
    """`[tool.freehold]` of the pyproject.toml in the working directory, empty where there is none."""
    path = Path("pyproject.toml")
    if not path.is_file():
        return {}
    try:
        tool = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"pyproject.toml is not TOML: {error}") from None
    table: dict[str, Any] = tool.get("freehold", {})
    return table


def name_of(target: str | None) -> str:
    """The target as `module:attribute`. Raises ConfigurationError where none is named."""
    named = target or project_table().get("app")
    if not isinstance(named, str):
        raise ConfigurationError(
            "No app is named. Give it as module:attribute (freehold serve bookstore.app:app), "
            'or write it into pyproject.toml: [tool.freehold] app = "bookstore.app:app".'
        )
    module, _, attribute = named.partition(":")
    return f"{module}:{attribute or 'app'}"


def load(target: str | None) -> FastAPI:
    """Import the app, looking in the working directory first, as `python -m` does.

    Raises ConfigurationError where there is no such module or it holds no FastAPI app there, and for an error inside
    the module, with the author's own lines that lead to it.
    """
    from fastapi import FastAPI

    found = attribute_at(name_of(target))
    if not isinstance(found, FastAPI):
        raise ConfigurationError(f"{name_of(target)} is a {type(found).__name__}, not a FastAPI or Freehold app.")
    return found


def folder_of(target: str | None) -> Path:
    """The folder of the app's module: what belongs to the service lies beside it."""
    module = import_module(name_of(target).partition(":")[0])
    return Path(module.__file__).absolute().parent if module.__file__ else Path.cwd()


def attribute_at(named: str) -> Any:
    """What `module:attribute` holds."""
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    module_name, _, attribute = named.partition(":")
    try:
        with paused():
            module = import_module(module_name)
    except ConfigurationError:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise refusal(module_name, error) from None
        raise ConfigurationError(f"There is no module {error.name} in {Path.cwd()} or among the packages.") from None
    except Exception as error:  # noqa: BLE001  # whatever it is, it is told by the author's own lines
        raise refusal(module_name, error) from None
    try:
        return getattr(module, attribute)
    except AttributeError:
        raise ConfigurationError(f"{module_name} holds no {attribute}.") from None
