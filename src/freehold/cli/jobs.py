"""`freehold jobs`: what waits, runs and is dead; try again what died, or throw it away."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

import typer

from freehold.cli.output import AsJson, write_json, write_rows
from freehold.cli.running import Service, service_of
from freehold.cli.target import AppOption
from freehold.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from freehold.jobs import DeadLetter
    from freehold.store.session import Session

app = typer.Typer(help="Jobs: watch them; list, retry and discard the dead.")

T = TypeVar("T")
Ids = Annotated[list[UUID] | None, typer.Argument(metavar="[ID]...", help="As `dead` lists them.")]
All = Annotated[bool, typer.Option("--all", help="Every one of them, or of --name.")]
Name = Annotated[str | None, typer.Option(help="Only jobs of this name.")]
_PAGE = 100
_COLUMNS = ("name", "queue", "due", "later", "behind", "running", "dead", "waiting")


@app.callback(invoke_without_command=True)
def watch(
    context: typer.Context,
    *,
    once: Annotated[bool, typer.Option("--once", help="Print once. Default where the output is no terminal.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 2.0,
    json: AsJson = False,
    target: AppOption = None,
) -> None:
    """Show how many jobs of each name are due, wait for later, stand behind another, run, and are dead."""
    if context.invoked_subcommand is not None:
        return
    service = service_of(target)
    if json or once or not sys.stdout.isatty():
        rows = _run(service, lambda: _rows(service))
        write_rows(rows if json else [_with_words(row) for row in rows], as_json=json, columns=_COLUMNS)
        return
    from freehold.cli.jobs_table import show

    async def look() -> list[dict[str, Any]]:
        return [_with_words(row) for row in await _rows(service)]

    _run(service, lambda: show(service.app.title, look, every=every))


@app.command()
def dead(*, name: Name = None, json: AsJson = False, target: AppOption = None) -> None:
    """List the jobs that were given up, in the order in which they were enqueued. Payloads are not shown."""
    service = service_of(target)
    letters = _run(service, lambda: _letters(service, name))
    rows = [asdict(each) | {"id": str(each.id), **_times(each)} for each in letters]
    if json or rows:
        write_rows(rows, as_json=json, columns=("id", "name", "attempts", "died_at", "error"))
    else:
        typer.echo("No job is dead.")


@app.command()
def retry(
    ids: Ids = None, *, everything: All = False, name: Name = None, json: AsJson = False, target: AppOption = None
) -> None:
    """Let dead jobs start anew, with all their tries."""
    from freehold.jobs import retry_dead

    _change(target, "retried", retry_dead, ids or [], everything=everything, name=name, json=json)


@app.command()
def discard(
    ids: Ids = None,
    *,
    everything: All = False,
    name: Name = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before all are discarded.")] = False,
    json: AsJson = False,
    target: AppOption = None,
) -> None:
    """Delete dead jobs: what they owed is never done."""
    from freehold.jobs import discard_dead

    if everything and not yes:
        typer.confirm(f"Discard every dead job{f' of {name}' if name else ''}?", abort=True)
    _change(target, "discarded", discard_dead, ids or [], everything=everything, name=name, json=json)


def _change(
    target: str | None,
    done: str,
    change: Callable[[Session, UUID], Awaitable[bool]],
    ids: Sequence[UUID],
    *,
    everything: bool,
    name: str | None,
    json: bool,
) -> None:
    if bool(ids) == everything or (name is not None and not everything):
        raise ConfigurationError("Name the jobs by their ids, or give --all (with --name for those of one name).")
    service = service_of(target)

    async def work() -> int:
        from rich.progress import track

        wanted = [each.id for each in await _letters(service, name)] if everything else ids
        pages = [wanted[start : start + _PAGE] for start in range(0, len(wanted), _PAGE)]
        return sum([await _page(service, change, page) for page in track(pages, done, disable=len(pages) < 2)])

    number = _run(service, work)
    write_json({done: number}) if json else typer.echo(f"{number} {'job' if number == 1 else 'jobs'} {done}")
    if number < len(ids):
        raise ConfigurationError(f"{len(ids) - number} of the ids are of no dead job (any more).")


async def _page(service: Service, change: Callable[[Session, UUID], Awaitable[bool]], page: Sequence[UUID]) -> int:
    from freehold.resource.principal import system

    async with service.database.writing(system("freehold jobs")) as unit:
        return sum([await change(unit.session, each) for each in page])


async def _letters(service: Service, name: str | None) -> list[DeadLetter]:
    from freehold.jobs import dead_letters
    from freehold.resource.principal import system

    found: list[DeadLetter] = []
    async with service.database.reading(system("freehold jobs")) as session:
        while page := await dead_letters(session, limit=_PAGE, after=found[-1].id if found else None):
            found += page
    return [each for each in found if name in (None, each.name)]


async def _rows(service: Service) -> list[dict[str, Any]]:
    from freehold.jobs.overview import backlogs
    from freehold.resource.principal import system

    async with service.database.reading(system("freehold jobs")) as session:
        found = await backlogs(session)
    queue_of = (lambda _: None) if service.jobs is None else service.jobs.queue_of
    return [{"name": each.name, "queue": queue_of(each.name), **asdict(each)} for each in found]


def _with_words(row: dict[str, Any]) -> dict[str, Any]:
    """The row for people: how long the longest has been waiting, in words."""
    seconds = row["waiting_seconds"]
    waiting = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    return row | {"waiting": waiting if row["due"] else ""}


def _times(letter: DeadLetter) -> dict[str, str]:
    given = {"enqueued_at": letter.enqueued_at, "died_at": letter.died_at}
    return {name: at.isoformat().replace("+00:00", "Z") for name, at in given.items()}


def _run(service: Service, work: Callable[[], Awaitable[T]]) -> T:
    async def inside() -> T:
        async with service.open():
            return await work()

    try:
        return asyncio.run(inside())
    except Problem as problem:
        raise ConfigurationError(problem.detail or problem.title) from None
