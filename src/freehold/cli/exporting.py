"""`freehold export`: the rows of a resource as a file, as `GET …/export` gives it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.importing import caller_of
from freehold.cli.running import freehold_app, opened
from freehold.cli.target import AppOption
from freehold.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from freehold.web.app import Freehold
    from freehold.web.reads import Reads


def command(
    resource: Annotated[str, typer.Argument(help="Its name in the path: books of /v1/books.")],
    *,
    to: Annotated[
        Path | None, typer.Option(help="The file; its name tells the format. Default: standard output.")
    ] = None,
    file_format: Annotated[str | None, typer.Option("--format", help="csv or jsonl.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="FILTER=VALUE", help="As in the list: --where year__gte=1990."),
    ] = None,
    as_: Annotated[
        str | None, typer.Option("--as", metavar="EMAIL", help="What this account may see; default: everything.")
    ] = None,
    target: AppOption = None,
) -> None:
    """Write all rows, of one moment, as CSV or JSON Lines. `freehold import` of the same file changes nothing."""
    from freehold.transfer.source import format_of

    wanted = file_format or (format_of(to.name) if to is not None else "csv")
    if wanted is None:
        raise ConfigurationError(f"{to}: name it .csv or .jsonl, or say --format")
    pairs = [each.partition("=") for each in where or []]
    params = [("format", wanted), *((name, value) for name, _, value in pairs)]
    try:
        asyncio.run(_export(freehold_app(target), resource, params, as_, to))
    except Problem as problem:
        said = "; ".join(f"{each.parameter}: {each.message}" for each in problem.errors)
        raise ConfigurationError(f"{problem.detail or problem.title} {said}".strip()) from None


async def _export(
    service: Freehold, resource: str, params: list[tuple[str, str]], account: str | None, to: Path | None
) -> None:
    from freehold.web.exporting import asked, export

    reads = _reads(service, resource)
    async with opened(service):
        caller = await caller_of(service, account, f"freehold export {resource}")
        wanted, query = asked(reads, params, caller)
        with ExitStack() as stack:
            out = sys.stdout.buffer if to is None else stack.enter_context(to.open("wb"))
            async for piece in export(reads, service.database, caller, query, wanted):
                out.write(piece)


def _reads(service: Freehold, resource: str) -> Reads:
    known = {bound.resource.name: service.mounted.reads[bound.model] for bound in service.mounted.bounds}
    if resource not in known:
        raise ConfigurationError(f"There is no resource {resource!r}; there are {', '.join(sorted(known))}.")
    return known[resource]
