"""`freehold audit`: whether the trail of who did what is as it was written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from freehold.cli.output import AsJson, write_json
from freehold.cli.running import Service, service_of
from freehold.cli.target import AppOption

if TYPE_CHECKING:
    from freehold.store.audit_check import Verdict

app = typer.Typer(help="The audit trail: verify.", no_args_is_help=True)

BROKEN = 1
_SHOWN = 10


@app.command()
def verify(*, json: AsJson = False, target: AppOption = None) -> None:
    """Walk the whole chain; ends with 1, and names the first broken place, where it is not as it was written.

    Works beside a running service and changes nothing. Needs the FREEHOLD_SECRET under which the records were sealed.
    """
    verdict = asyncio.run(_examine(service_of(target)))
    if json:
        write_json(_as_data(verdict))
    else:
        _tell(verdict)
    if verdict.faults:
        raise typer.Exit(BROKEN)


async def _examine(service: Service) -> Verdict:
    from freehold.resource.principal import system
    from freehold.store.audit_check import examine

    key = b"" if service.jobs is None else service.jobs.audit_key
    async with service.open(), service.database.reading(system("freehold audit verify")) as session:
        return await examine(session, key=key)


def _as_data(verdict: Verdict) -> dict[str, object]:
    faults = [
        {
            "sequence": fault.sequence,
            "record_id": None if fault.record_id is None else str(fault.record_id),
            "message": fault.message,
        }
        for fault in verdict.faults
    ]
    return {
        "whole": not faults,
        "sealed": verdict.sealed,
        "waiting": verdict.waiting,
        "digest": verdict.digest.hex(),
        "first_fault": faults[0] if faults else None,
        "faults": faults,
    }


def _tell(verdict: Verdict) -> None:
    if not verdict.faults:
        typer.echo(f"the chain is whole: {verdict.sealed} records sealed, {verdict.waiting} waiting to be")
        typer.echo(f"digest of the last one: {verdict.digest.hex()}")
        return
    first, *others = verdict.faults
    typer.echo(f"the chain is broken at record {first.sequence}: {first.message}", err=True)
    for fault in others[: _SHOWN - 1]:
        typer.echo(f"  then: {fault.message}", err=True)
    if len(others) >= _SHOWN:
        typer.echo("  and more: --json lists the first hundred", err=True)
    if first.sequence == 1 and verdict.sealed > 1:
        typer.echo(
            "  Broken from the first record on: FREEHOLD_SECRET may not be the one they were sealed under.", err=True
        )
