"""`freehold worker`: run the jobs of a service, apart from the processes that serve it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from freehold.cli import listener
from freehold.cli.process import run
from freehold.cli.target import App, load, name_of
from freehold.cli.template import Template
from freehold.cli.undivided import Undivided
from freehold.collector import paused
from freehold.settings import Environment

if TYPE_CHECKING:
    from freehold.web.worker import Worker, Workplace


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker does: the jobs of these queues (of all when empty), so many at a time."""

    queues: tuple[str, ...]
    concurrency: int

    def __call__(self, target: str) -> Worker:
        """The worker of the app at `target`. Raises ConfigurationError."""
        from freehold.web.worker import Worker

        return Worker(_workplace(target), queues=self.queues, concurrency=self.concurrency)


def _workplace(target: str | None) -> Workplace:
    from freehold.cli.running import process_or_refuse
    from freehold.web.app import Freehold
    from freehold.web.worker import Workplace

    app = load(target)
    if isinstance(app, Freehold):
        return Workplace.of(app)
    return Workplace.of_installed(app, process_or_refuse(app, target))


def command(
    target: App = None,
    *,
    queues: Annotated[str, typer.Option(help="Serve these only, by comma. Default: all.")] = "",
    concurrency: Annotated[int, typer.Option(min=1, help="Jobs at a time, in each process.")] = 4,
    processes: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    host: Annotated[str, typer.Option(help="The address of the probes; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port of the probes; 0 takes a free one.")] = 0,
) -> None:
    """Run the jobs of APP where FREEHOLD_JOBS=apart. SIGTERM ends it in order: no further job begins, those that run have
    30 s and are given back after that, exit status 0; a second one ends it now.

    /health/live, /health/ready and /metrics are served at the address that it says.
    """
    named = name_of(target)
    work = Work(tuple(name.strip() for name in queues.split(",") if name.strip()), concurrency)
    socket, predecessors = listener.take_over_or_bind(host, port)
    with socket:  # closed also where what comes next fails
        before = Undivided()  # of what is taken over nothing is the import's
        with paused(for_good=True):
            app = work(named)  # what is wrong is told here, once, and not by each process
        is_supervised = processes > 1 or app.service.settings.env is not Environment.DEVELOPMENT
        template = Template.of_this_process(app, socket, before) if is_supervised else None
        _tell(app.service.title, work, processes, listener.address(socket))
        if is_supervised:
            from freehold.cli.workers import Workers

            workers = Workers(
                named,
                socket,
                count=processes,
                template=template,
                loads=work,
                outlives=bool(port),  # at a port of no promise the next start would not find them
                predecessors=predecessors,
            )
            raise typer.Exit(workers.run())
        if predecessors is not None:
            predecessors.release()
        run(named, socket, loads=work)


def _tell(title: str, work: Work, processes: int, address: str) -> None:
    what = f"the queues {', '.join(work.queues)}" if work.queues else "all queues"
    size = f"{processes} x {work.concurrency}" if processes > 1 else str(work.concurrency)
    console = Console(highlight=False)
    console.print(f"[bold]{title}[/bold] runs the jobs of {what}, {size} at a time", soft_wrap=True)
    console.print(f"  health     {address}/health/ready", soft_wrap=True)
