"""`freehold import`: the rows of a file into a resource, under its schemas and rules."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli.import_report import Found, tell, tell_json
from freehold.cli.output import AsJson
from freehold.cli.running import freehold_app, identity_of, opened
from freehold.cli.target import AppOption
from freehold.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from freehold.resource.principal import Principal
    from freehold.transfer.importing import Progress, Stopped
    from freehold.transfer.source import Source
    from freehold.web.app import Freehold

REFUSED_ROWS = 1
_IN_JSON = 1_000


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was asked for."""

    resource: str
    account: str | None
    rejects: Path | None
    options: dict[str, Any]


def command(
    file: Annotated[str, typer.Argument(help="CSV or JSON Lines, also packed (.gz); - reads standard input.")],
    *,
    resource: Annotated[str, typer.Option(help="Its name in the path: books of /v1/books.")],
    key: Annotated[
        list[str] | None, typer.Option(help="A column that rows are known by. May be given several times.")
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="May be given several times.")
    ] = None,
    ignore_others: Annotated[
        bool, typer.Option("--ignore-others", help="Pass over columns that no field has the name of.")
    ] = False,
    as_: Annotated[
        str | None, typer.Option("--as", metavar="EMAIL", help="Under the rules of this account; default: the system.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of each row, and write none.")
    ] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="End at the first row that is refused; its 200 are not written.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Import a file without a key once more; its rows are then there twice.")
    ] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Write the refused rows here, with their reasons, to be put right and imported.")
    ] = None,
    file_format: Annotated[
        str | None, typer.Option("--format", help="csv or jsonl, where the name does not tell.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of the file, where it is not UTF-8: latin-1, cp1252, ...")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of CSV; found out by default.")] = None,
    json: AsJson = False,
    target: AppOption = None,
) -> None:
    """Import rows: each is judged as if it were sent, and written by the resource's own functions.

    Every 200 rows commit together with the place in the file: killed and started again, it goes on there. Rows with a key
    that is there are changed where they differ, so that an import can be repeated. Ends with 1 where rows were refused.
    """
    service = freehold_app(target)
    options: dict[str, Any] = {
        "key": key or None,
        "columns": _pairs(columns or []) or None,
        "ignore_others": ignore_others or None,
    }
    options |= {"is_dry": dry_run, "stops": stop, "again": again}
    with _source(file, file_format) as source:
        given = replace(source, encoding=encoding, delimiter=delimiter)
        found = asyncio.run(_import(service, given, _Wanted(resource, as_, rejects, options)))
    if json:
        tell_json(found)
    else:
        tell(found, rejects)
    if found.report.refused:
        raise typer.Exit(REFUSED_ROWS)


async def _import(service: Freehold, source: Source, wanted: _Wanted) -> Found:
    from freehold.transfer import Stopped, import_file, journal
    from freehold.transfer.files import target_named
    from freehold.transfer.rejects import write_rejects

    async with opened(service):
        caller = await caller_of(service, wanted.account, f"freehold import {source.path.name}")
        try:
            with _bar(wanted.resource) as progress:
                report = await import_file(
                    service.database, wanted.resource, source, principal=caller, progress=progress, **wanted.options
                )
        except Stopped as stopped:
            raise ConfigurationError(f"Stopped: {_first(stopped)}. Nothing of its 200 rows was written.") from None
        except Problem as problem:
            raise ConfigurationError(f"{source.path.name}: {problem.detail or problem.title}") from None
        async with service.database.reading(caller) as session:
            reasons = [asdict(each) for each in await journal.reasons(session, report.import_id)]
            lines = journal.refused_lines(session, report.import_id)
            refused = [{"line": line, "reasons": said} async for line, said in _first_of(lines, _IN_JSON)]
            if wanted.rejects is not None:
                told = journal.refused_lines(session, report.import_id)
                target = target_named(service.database, wanted.resource)
                await write_rejects(target, source, wanted.rejects, told)
    return Found(report, reasons, refused)


async def caller_of(service: Freehold, email: str | None, reason: str) -> Principal:
    """The account that a command acts as; the system without one. Raises ConfigurationError for one that is disabled."""
    from freehold.cli.user import account
    from freehold.resource.principal import system

    if email is None:
        return system(reason)
    found = await account(identity_of(service), service.database, email, reason=reason)
    if found is None:
        raise ConfigurationError(f"The account {email} is disabled.")
    return found


async def _first_of(lines: AsyncIterator[tuple[int, str]], number: int) -> AsyncIterator[tuple[int, str]]:
    async for each in lines:
        if number == 0:
            return
        number -= 1
        yield each


def _first(stopped: Stopped) -> str:
    record = stopped.records[0]
    said = [
        f"{each.column}: {each.message}" if each.column else each.message for each in record.remarks if each.is_refusal
    ]
    return f"line {record.line}: {'; '.join(said)}"


def _pairs(said: Sequence[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in said]
    if any(not (field and sign and column) for field, sign, column in pairs):
        raise ConfigurationError("--map takes FIELD=COLUMN, as in --map title=Title")
    return {field: column for field, _, column in pairs}


@contextmanager
def _source(file: str, said: str | None) -> Iterator[Source]:
    from freehold.transfer.source import Source, format_of

    if said not in (None, "csv", "jsonl"):
        raise ConfigurationError(f"--format {said}: csv and jsonl are known")
    known = said or format_of(file)
    if known is None:
        raise ConfigurationError(f"{file}: say whether it is --format csv or --format jsonl")
    if file != "-":
        if not Path(file).is_file():
            raise ConfigurationError(f"There is no file {file}.")
        yield Source(Path(file), known)  # type: ignore[arg-type]  # one of the two
        return
    with tempfile.NamedTemporaryFile(prefix="freehold-import-") as aside:  # it is read twice
        shutil.copyfileobj(sys.stdin.buffer, aside)
        aside.flush()
        yield Source(Path(aside.name), known)  # type: ignore[arg-type]


@contextmanager
def _bar(resource: str) -> Iterator[Progress]:
    """A bar on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*shown, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(resource, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
