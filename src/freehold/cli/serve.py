"""`freehold serve`: migrate, load the demo where asked for, say where it is, and serve."""

from __future__ import annotations

import asyncio
import os
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeGuard

import typer
from rich.console import Console
from sqlalchemy import make_url

from freehold.cli import demo, listener
from freehold.cli.target import App, load, name_of
from freehold.cli.template import Template
from freehold.cli.undivided import Undivided
from freehold.collector import paused
from freehold.settings import Environment, Settings
from freehold.settings.environ import read

if TYPE_CHECKING:
    from fastapi import FastAPI

    from freehold.web.app import Freehold

Port = Annotated[int, typer.Option(envvar="PORT", min=0, max=65535, help="0 takes a free one.")]
Host = Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")]


class Demo(StrEnum):
    """How much demo data is loaded before serving."""

    NONE = "0"
    SOME = "1"
    ALL = "all"


def command(
    target: App = None,
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: FREEHOLD_WORKERS.")] = None,
    migrate: Annotated[
        bool | None, typer.Option(help="Bring the schema up to date first. Default: everywhere but in production.")
    ] = None,
    demo_data: Annotated[Demo, typer.Option("--demo", help="Load demo data once: 0, 1 or all.")] = Demo.NONE,
) -> None:
    """Serve APP. SIGTERM ends it in order with exit status 0 (requests in flight have 30 s); a second one ends it now.

    With several workers SIGHUP puts new processes in the place of the old ones, without a request that fails.
    """
    named = name_of(target)
    socket, predecessors = listener.take_over_or_bind(host, port)
    with socket:  # closed also where what comes next fails
        announce_address(listener.address(socket), workers=workers)
        settings = Settings.load()
        is_supervised, before = settings.workers > 1 or settings.env is not Environment.DEVELOPMENT, Undivided()
        with paused(for_good=True):
            app = load(named)
        template = Template.of_this_process(app, socket, before) if is_supervised else None
        wants_migration = migrate if migrate is not None else settings.env is not Environment.PRODUCTION
        if predecessors is not None and (not is_supervised or (wants_migration and has_history(app))):
            predecessors.release()  # what they were written for may be gone
        asyncio.run(prepare(app, named, migrate=wants_migration, demo_data=demo_data))
        _tell(app, named, listener.address(socket), settings, with_accounts=demo_data is not Demo.NONE)
        if is_supervised:
            from freehold.cli.workers import Workers

            workers_of = Workers(
                named,
                socket,
                count=settings.workers,
                template=template,
                drain_seconds=settings.drain_seconds,
                outlives=settings.may_overlap and bool(port),  # as in `worker`: at port 0 nobody would find them
                predecessors=predecessors,
            )
            raise typer.Exit(workers_of.run())
        from freehold.cli.process import run

        run(named, socket)


def announce_address(address: str, *, workers: int | None = None) -> None:
    """Put what the command line says into the environment, where the app and the workers read it.

    Only in development: elsewhere the public address is not what the process listens on.
    """
    if workers is not None:
        os.environ["FREEHOLD_WORKERS"] = str(workers)
    given = read(None, env_file=None)
    if given.get("FREEHOLD_ENV", "development") == "development" and "FREEHOLD_PUBLIC_URL" not in given:
        os.environ["FREEHOLD_PUBLIC_URL"] = address


def has_history(app: FastAPI) -> TypeGuard[Freehold]:
    """Whether it has migrations of its own."""
    from freehold.web.app import Freehold

    return isinstance(app, Freehold) and app.migrations is not None


async def prepare(app: FastAPI, named: str, *, migrate: bool, demo_data: Demo) -> None:
    """What happens once, before any process serves."""
    from freehold.store.awaiting import await_server
    from freehold.store.plain_engine import plain_engine
    from freehold.web.app import Freehold

    if isinstance(app, Freehold):
        url = make_url(app.settings.tables_url) if migrate else app.database.url
        async with plain_engine(url) as engine:
            await await_server(engine, seconds=app.settings.start_seconds, say=partial(typer.echo, err=True))
    if migrate and has_history(app):
        from freehold.cli.migrate import history
        from freehold.store.migrate import up

        await up(history(app, named), say=typer.echo)
    if demo_data is not Demo.NONE:
        await demo.load(app, named, everything=demo_data is Demo.ALL)


def _tell(app: FastAPI, named: str, address: str, settings: Settings, *, with_accounts: bool) -> None:
    console = Console(highlight=False)
    console.print(f"[bold]{app.title}[/bold] is served at {address}", soft_wrap=True)
    from freehold.web.app import Freehold

    if isinstance(app, Freehold) and settings.docs_enabled:
        console.print(f"  documents  {address}/docs  {address}/redoc  {address}/openapi.json", soft_wrap=True)
    if isinstance(app, Freehold):
        console.print(f"  health     {address}/health/ready", soft_wrap=True)
    if with_accounts:
        for line in demo.accounts(named):
            console.print(f"  {line}", soft_wrap=True)
