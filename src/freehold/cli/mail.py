"""`freehold mail`: the letters that a service has written into its folder, where it sends by none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli.output import AsJson, write_json, write_rows
from freehold.cli.running import freehold_app
from freehold.cli.target import AppOption
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from freehold.mail import FileMail, Letter

app = typer.Typer(help="Letters in the var folder: list, show.", no_args_is_help=True)


@app.command("list")
def list_(
    *,
    most: Annotated[int, typer.Option("--limit", min=1, help="So many of the newest.")] = 20,
    json: AsJson = False,
    target: AppOption = None,
) -> None:
    """List the letters, the newest first."""
    files = _files(target)
    rows = [_row(files.read(name)) for name in files.names()[:most]]
    if not rows and not json:
        typer.echo("No letter has been written yet.")
        return
    write_rows(rows, as_json=json)


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="As `list` shows it, or the beginning of it; the newest without.")
    ] = "",
    *,
    html: Annotated[bool, typer.Option("--html", help="Print the HTML and nothing else.")] = False,
    json: AsJson = False,
    target: AppOption = None,
) -> None:
    """Show a letter: its headers and text."""
    files = _files(target)
    found = next((each for each in files.names() if each.startswith(name)), None)
    if found is None:
        raise ConfigurationError(f"There is no letter {name}." if name else "No letter has been written yet.")
    letter = files.read(found)
    if json:
        write_json(_row(letter) | {"headers": dict(letter.headers), "text": letter.text, "html": letter.html})
    elif html:
        sys.stdout.write((letter.html or "") + "\n")
    else:
        headers = "\n".join(f"{key}: {value}" for key, value in letter.headers)
        sys.stdout.write(f"{headers}\n\n{letter.text}")


def _files(target: str | None) -> FileMail:
    from freehold.mail import FileMail

    service = freehold_app(target)
    transport = service.mailer.transport
    if not isinstance(transport, FileMail):
        raise ConfigurationError(f"The mail of {service.title} leaves; only what stays in files can be listed.")
    return transport


def _row(letter: Letter) -> dict[str, Any]:
    sent_at = letter.sent_at.isoformat().replace("+00:00", "Z")
    return {"name": letter.name, "sent_at": sent_at, "to": letter.to, "subject": letter.subject}
