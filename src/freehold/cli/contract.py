"""`freehold contract`: the contract with clients as a file in the repository, and what a change does to them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli.output import AsJson, write_json
from freehold.cli.target import folder_of, load
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from freehold.contract import Finding

app = typer.Typer(help="The contract with clients: freeze, diff.", no_args_is_help=True)

BROKEN = 1
_SHOWN = 3  # operations that a finding names before it counts the rest

_SOURCE = "module:attribute, or an OpenAPI file (.json); default: the app of ./pyproject.toml"
Source = Annotated[str | None, typer.Argument(metavar="[SOURCE]", help=_SOURCE)]
File = Annotated[Path | None, typer.Option("--file", help="The contract; default: contract.json beside the app.")]


@app.command()
def freeze(
    source: Source = None,
    *,
    file: File = None,
    accept: Annotated[bool, typer.Option("--accept", help="Write it also where it breaks a version.")] = False,
) -> None:
    """Write down what the app promises now. Ends with 1, and writes nothing, where that breaks a version. Commit the file."""
    from freehold.contract import write

    path, document = file or _place(source), _document(source)
    is_first = not path.exists()
    findings = [] if is_first else _compared(path, document)
    breaks = [each for each in findings if each.fails]
    if breaks and not accept:
        _tell(breaks, path)
        typer.echo(f"{path} is left as it was. --accept writes it all the same: its clients break.", err=True)
        raise typer.Exit(BROKEN)
    write(path, document)
    typer.echo(f"{path}: {_counted_operations(document)}, {'frozen' if is_first else _counts(findings)}")


@app.command()
def diff(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[[OLD] NEW]", help=f"Each: {_SOURCE}. Default of OLD: the contract.")
    ] = None,
    *,
    file: File = None,
    json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help="Name what is safe too.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 for what is risky too.")] = False,
) -> None:
    """Hold an app, or the OpenAPI file of any, against the contract or another file. Ends with 1 for a break."""
    from freehold.contract import Severity

    path, findings = _held(sources or [], file)
    failing = [each for each in findings if each.fails or (strict and each.severity is not Severity.SAFE)]
    if json:
        write_json({"breaks": bool(failing), "findings": [each.as_dict() for each in findings]})
    else:
        _tell([each for each in findings if everything or each.severity is not Severity.SAFE], path)
        typer.echo(_counts(findings) + _verdict(findings))
    if failing:
        raise typer.Exit(BROKEN)


def _held(sources: list[str], file: Path | None) -> tuple[Path, list[Finding]]:
    """The file that is spoken of, and the findings."""
    if len(sources) > 2:
        raise ConfigurationError(
            "Two can be held against each other, not more: freehold contract diff old.json new.json"
        )
    new = sources[-1] if sources else None
    if len(sources) == 1 or not sources:
        path = file or _place(new)
        if not path.exists():
            raise ConfigurationError(f"There is no {path} yet. Write it, and commit it: freehold contract freeze")
        return path, _compared(path, _document(new))
    old = sources[0]
    if _is_file(old):
        return Path(old), _compared(Path(old), _document(new))
    from freehold.contract import compare

    return Path(old), compare(_document(old), _document(new))


def _is_file(source: str | None) -> bool:
    return source is not None and source.endswith(".json")


def _document(source: str | None) -> dict[str, Any]:
    from freehold.contract import read

    return read(Path(source)) if source is not None and _is_file(source) else load(source).openapi()


def _place(source: str | None) -> Path:
    """Where the contract of a source lies: beside the module of an app, in the working directory for a file."""
    if _is_file(source):
        return Path("contract.json")
    load(source)  # a module that cannot be imported is told about as everywhere else
    found = folder_of(source) / "contract.json"
    return found.relative_to(Path.cwd()) if found.is_relative_to(Path.cwd()) else found


def _compared(path: Path, document: dict[str, Any]) -> list[Finding]:
    from freehold.contract import compare, read
    from freehold.contract.files import line_of, lines_of

    if not path.exists():
        raise ConfigurationError(
            f"There is no contract at {path} yet. Write it, and commit it: freehold contract freeze"
        )
    findings = compare(read(path), document)
    lines = lines_of(path) if findings else {}
    return [
        each if each.code == "operation.added" else replace(each, line=line_of(each.pointer, lines))
        for each in findings
    ]


def _tell(findings: list[Finding], path: Path) -> None:
    for finding in findings:
        typer.echo(f"{finding.severity}  {_operations(finding)}: {finding.what}")
        if finding.remedy:
            place = f"{path}:{finding.line}" if finding.line else f"{path}#{finding.pointer}"
            typer.echo(f"  at   {place}\n  why  {finding.reason}\n  do   {finding.remedy}")


def _operations(finding: Finding) -> str:
    named = ", ".join(finding.operations[:_SHOWN])
    more = len(finding.operations) - _SHOWN
    return f"{named} and {more} more" if more > 0 else named


def _counts(findings: list[Finding]) -> str:
    if not findings:
        return "no difference that a client can notice"
    counted = Counter(each.severity.value for each in findings)
    return ", ".join(f"{counted[kind]} {kind}" for kind in ("breaking", "risky", "safe"))


def _verdict(findings: list[Finding]) -> str:
    from freehold.contract import Severity

    broken = sorted({each.version for each in findings if each.fails})
    if broken:
        said = f"Version {', '.join(broken)} may not break. Where it must: freehold contract freeze --accept"
        return f"\n{said}"
    may = any(each.severity is Severity.BREAKING for each in findings)
    return "; it is a new version, which may break" if may else ""


def _counted_operations(document: dict[str, Any]) -> str:
    from freehold.contract.normal import normalised, operations
    from freehold.contract.places import Place

    normal = normalised(document)
    count = sum(1 for _ in operations(Place(normal, normal, "")))
    return f"{count} operation{'' if count == 1 else 's'}"
