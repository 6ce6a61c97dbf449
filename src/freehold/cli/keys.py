"""`freehold keys`: the keys that sign access tokens."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from freehold.cli.running import Accounts, accounts_of
from freehold.cli.target import AppOption

app = typer.Typer(help="Signing keys: rotate.", no_args_is_help=True)


@app.command()
def rotate(
    *,
    now: Annotated[
        bool, typer.Option("--now", help="After a leak: the present key is refused from this moment on.")
    ] = False,
    target: AppOption = None,
) -> None:
    """Publish the next key; the running service lets it sign once caches of the key set know it. Nobody is logged out.

    A service does this by itself every 30 days. With --now everyone refreshes at once, and others who verify tokens by
    the key set fail until they have read it again.
    """
    states = asyncio.run(_rotate(accounts_of(target), immediately=now))
    for kid, state in states.items():
        typer.echo(f"{kid}  {state}")


async def _rotate(service: Accounts, *, immediately: bool) -> dict[str, str]:
    identity = service.identity
    try:
        async with service.open():
            await identity.start()
            await identity.parts.keys.rotate(immediately=immediately)
            return await identity.parts.keys.states()
    finally:
        await identity.close()
