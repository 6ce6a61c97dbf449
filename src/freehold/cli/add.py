"""`freehold add resource`: a feature in four files, registered, with its migration, tests and proofs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.output import AsJson, write_json
from freehold.cli.target import AppOption
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from freehold.cli.add_names import Names
    from freehold.web.app import Freehold

app = typer.Typer(help="Write code into a project.", no_args_is_help=True)

_RESOURCES, _SCENES = "freehold:resources", "freehold:scenes"


@app.callback()
def group() -> None:
    """Write code into a project."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a project things go."""

    folder: Path  # of the package that holds the features
    composition: Path  # the file with the marked list of resources
    package: str
    tests: Path | None  # where the scenes of the proofs are


@app.command()
def resource(
    name: Annotated[str, typer.Argument(metavar="NAME", help="In the singular: review, book_review or BookReview.")],
    fields: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FIELD:TYPE...",
            help="Types: str str(80) text int float decimal(10,2) bool date datetime uuid json enum(draft,published) "
            "ref:books. Marks at the end: ? may be null, ! unique, ^ sortable. Quote ( ) ? ! or write enum:a,b.",
        ),
    ] = None,
    *,
    public_read: Annotated[bool, typer.Option("--public-read", help="Everyone may read it.")] = False,
    no_owner: Annotated[
        bool, typer.Option("--no-owner", help="It belongs to nobody: who signs in reads, administrators write.")
    ] = False,
    plural: Annotated[str, typer.Option(help="Its collection, where English is irregular: --plural people.")] = "",
    target: AppOption = None,
    json: AsJson = False,
) -> None:
    """Write a feature: models, schemas, crud and routes; register it; write its migration and its tests.

    By default a row belongs to whoever makes it, and is its owner's alone to see and to change.
    """
    from freehold.cli.add_fields import parse
    from freehold.cli.add_names import names_of
    from freehold.cli.add_targets import targets_of
    from freehold.cli.running import freehold_app

    names = names_of(name, plural=plural)
    service = freehold_app(target)
    parsed = parse(fields or [], reserved=_reserved(service, names, has_owner=not no_owner))
    place = _place(target, names, service)
    from freehold.cli.add_feature import Feature

    feature = Feature(
        names=names,
        fields=parsed,
        targets=targets_of(parsed, service),
        accounts=None if no_owner or service.identity is None else _accounts(service),
        has_owner=not no_owner,
        public_read=public_read,
        package=place.package,
        path=f"{_prefix(service)}/{names.collection.replace('_', '-')}",
    )
    report = _write(feature.files(place.folder, place.tests), place, names, service, target)
    if json:
        write_json({"resource": names.collection, **report})
        return
    for verb, paths in report.items():
        typer.echo("\n".join(f"{verb} {path}" for path in paths))
    typer.echo("\n  make test" if Path("Makefile").is_file() else "")


def _place(target: str | None, names: Names, service: Freehold) -> _Place:
    from freehold.cli.edits import marked_file
    from freehold.cli.target import folder_of, name_of

    module = name_of(target).partition(":")[0]
    package, _, file = module.rpartition(".")
    if not package:
        raise ConfigurationError(f"{module} stands in no package: features need one, such as bookstore/app.py.")
    folder = folder_of(target)
    if (folder / names.collection).exists():
        raise ConfigurationError(f"{folder / names.collection} is there already. Choose another name, or remove it.")
    _refuse_known(service, names)
    composition = marked_file(folder, folder / f"{file}.py", _RESOURCES)
    tests = Path.cwd() / "tests"
    return _Place(folder, composition, package, tests if (tests / "scenes" / "__init__.py").is_file() else None)


def _reserved(service: Freehold, names: Names, *, has_owner: bool) -> dict[str, str]:
    """A statement in which a column is called as a table with a rule does not run: the two cannot be told apart."""
    tables = {name for metadata in service.all_metadata for name in metadata.tables}
    found = dict.fromkeys({*tables, names.collection}, "a table is called so")
    return found | {"owner_id": "the resource has one already"} if has_owner else found


def _refuse_known(service: Freehold, names: Names) -> None:
    for metadata in service.all_metadata:
        for table in metadata.tables.values():
            if table.name == names.collection:
                raise ConfigurationError(f"there is a table {table.name} already. Choose another name.")
            if names.collection in table.columns:
                raise ConfigurationError(f"{table.name} has a column {names.collection}. Choose another name.")


def _accounts(service: Freehold) -> str:
    assert service.identity is not None
    return str(service.identity.user.__tablename__)  # type: ignore[attr-defined]  # a mapped class


def _prefix(service: Freehold) -> str:
    for operation in service.mounted.operations:
        if operation.kind == "list" and operation.detail is None:
            return operation.path.removesuffix(f"/{operation.bound.resource.name}")
    return "/v1"


def _write(
    new: Mapping[Path, str], place: _Place, names: Names, service: Freehold, target: str | None
) -> dict[str, list[str]]:
    """Everything or nothing: what was written, what was changed."""
    from freehold.cli.itself import run_in
    from freehold.cli.rendering import written

    for path in new:
        if path.exists():
            raise ConfigurationError(f"{path} is there already. Choose another name, or remove it.")
    changed = {place.composition: _registered(place.composition, _RESOURCES, f"{names.collection}.routes", names)}
    if place.tests is not None:
        scenes = place.tests / "scenes" / "__init__.py"
        if _SCENES in scenes.read_text(encoding="utf-8"):
            changed[scenes] = _registered(scenes, _SCENES, names.collection, names)
    made = list(new)
    with written({**new, **changed}):
        _format([*new, *changed])
        if service.migrations is not None:
            chosen = ["--app", target] if target else []
            said = run_in(Path.cwd(), "migrate", "make", names.collection.replace("_", " "), *chosen)
            made += [Path(line.removeprefix("written ")) for line in said.splitlines() if line.startswith("written ")]
    return {"written": _relative(made), "changed": _relative(list(changed))}


def _registered(path: Path, mark: str, module: str, names: Names) -> str:
    from freehold.cli.edits import add_import, insert_at

    source = path.read_text(encoding="utf-8")
    edited = insert_at(source, mark, names.collection)
    return add_import(edited or source, module, names.collection)


def _relative(paths: list[Path]) -> list[str]:
    here = Path.cwd()
    return [str(path.relative_to(here) if path.is_relative_to(here) else path) for path in paths]


def _format(paths: list[Path]) -> None:
    """As ruff wants it, where ruff is installed beside this Python: a name may make a line longer than the template's."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff:
        for arguments in (["check", "--select=I", "--fix", "--quiet"], ["format", "--quiet"]):
            subprocess.run([ruff, *arguments, *map(str, paths)], check=False, capture_output=True)
