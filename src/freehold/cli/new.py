"""`freehold new`: a project with a first feature, its migration, tests and proofs, that runs at once."""

from __future__ import annotations

import keyword
import re
import shutil
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli.itself import development_in, run_in
from freehold.cli.output import AsJson, write_json
from freehold.errors import ConfigurationError

_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_LONGEST = 40
_PACKAGE = "_package_"  # stands in the paths of the templates


def command(
    folder: Annotated[Path, typer.Argument(metavar="NAME", help="The folder to make; its name is the project's.")],
    *,
    json: AsJson = False,
) -> None:
    """Write a project: books that people keep and publish, with migrations, tests, proofs, CI and a README."""
    package = package_name(folder.name)
    _refuse_occupied(folder)
    files = write(folder, package)
    if json:
        write_json({"project": folder.name, "package": package, "folder": str(folder.absolute()), "files": files})
        return
    typer.echo(f"written {len(files)} files in {folder}\n\n  cd {folder}\n  make serve\n  make test")


def package_name(name: str) -> str:
    """The package of a project of this name. Raises ConfigurationError for one that cannot be imported, or is taken."""
    package = name.replace("-", "_")
    fault = ""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        fault = f"is no name for a project: small letters, digits, - and _ between them, at most {_LONGEST}"
    elif keyword.iskeyword(package) or keyword.issoftkeyword(package):
        fault = "is a word of Python's own"
    elif package.startswith("freehold"):
        fault = "begins as Freehold's own packages and settings do"
    elif package in {"tests", "var"}:
        fault = "is a folder that the project itself has"
    elif _is_installed(package):
        fault = "is a package that Python would find in its place"
    if fault:
        raise ConfigurationError(f"{name!r} {fault}. Choose another, such as: freehold new bookstore")
    return package


def _is_installed(package: str) -> bool:
    spec = find_spec(package)
    return spec is not None and spec.origin is not None  # a plain folder here has no origin


def write(folder: Path, package: str) -> list[str]:
    """Write the project into a folder that is empty or not there; its files, relative to it. All of it, or nothing."""
    try:
        _write(folder, package)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _write(folder: Path, package: str) -> None:
    from freehold.cli.rendering import names_below, render, write_all

    values = _values(folder.name, package)
    contents = {
        folder / name.removeprefix("project/").replace(_PACKAGE, package): render(name, values)
        for name in names_below("project")
    }
    # Not committed: `make` finds the environment of this command where its `bin` is not on the PATH.
    contents[folder / "local.mk"] = f"PYTHON := {sys.executable}\n"
    write_all(contents)
    with tempfile.TemporaryDirectory() as scratch:
        environ = development_in(Path(scratch))
        example = run_in(folder, "settings", "--example", environ=environ)
        write_all({folder / ".env.example": example})
        run_in(folder, "migrate", "make", "accounts and books", environ=environ)
        run_in(folder, "contract", "freeze", environ=environ)
    for cache in [*folder.rglob("__pycache__"), folder / ".ruff_cache"]:
        shutil.rmtree(cache, ignore_errors=True)


def _values(name: str, package: str) -> dict[str, object]:
    words = package.split("_")
    return {
        "distribution": name.replace("_", "-"),
        "package": package,
        "title": " ".join(words).capitalize(),
        "settings": f"{''.join(word.capitalize() for word in words)}Settings",
        "prefix": f"{package.upper()}_",
        "version": version("freehold"),
    }


def _refuse_occupied(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise ConfigurationError(f"{folder} is there already and not empty. Choose another name, or empty it.")
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file. Choose another name.")
