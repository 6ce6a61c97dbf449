"""`freehold api-keys`: the keys of the service itself, which act for nobody; people make their own over the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from freehold.cli.output import AsJson, write_rows
from freehold.cli.running import accounts_of, run_on_accounts
from freehold.cli.target import AppOption
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from freehold.identity.api_keys import ApiKeys, NewKey
    from freehold.store.session import Session

app = typer.Typer(help="API keys of the service: add, list, rotate, revoke.", no_args_is_help=True)

KeyId = Annotated[UUID, typer.Argument(metavar="ID", help="As `freehold api-keys list` shows it.")]
Work = Callable[["ApiKeys", "Session"], Awaitable[Any]]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    roles: Annotated[list[str] | None, typer.Option("--role", help="May be given several times.")] = None,
    scopes: Annotated[list[str] | None, typer.Option("--scope", help="May be given several times.")] = None,
    ranges: Annotated[
        list[str] | None, typer.Option("--from", help="Addresses it may come from (CIDR); anywhere without it.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="Until its end.")] = 90,
    target: AppOption = None,
) -> None:
    """Make a key of the service, and print it: this is the only time that it is shown."""
    from freehold.identity.api_keys import KeyDraft
    from freehold.resource.principal import system

    draft = KeyDraft(
        name=name,
        roles=frozenset(roles or ()),
        scopes=frozenset(scopes or ()),
        address_ranges=_networks(ranges or []),
        lifetime=timedelta(days=days),
        is_of_service=True,
    )
    maker = system("freehold api-keys add")
    made: NewKey = _run(target, "add", lambda keys, session: keys.make(session, draft, maker=maker))
    typer.echo(f"{made.id}  {made.key}  until {made.expires_at:%Y-%m-%d}")


@app.command("list")
def list_(*, json: AsJson = False, target: AppOption = None) -> None:
    """List the keys of the service that are good; never the keys themselves."""
    rows = _run(target, "list", lambda keys, session: keys.listed(session, None))
    shown = ("id", "prefix", "name", "roles", "scopes", "address_ranges", "expires_at", "last_used_at")
    write_rows([{name: _plain(getattr(row, name)) for name in shown} for row in rows], as_json=json)


@app.command()
def rotate(
    key_id: KeyId,
    *,
    overlap_hours: Annotated[int, typer.Option(min=0, max=168, help="How long the old one goes on.")] = 24,
    target: AppOption = None,
) -> None:
    """Make a key in place of another, and print it. The old one goes on for a while."""
    from freehold.resource.principal import system

    overlap = timedelta(hours=overlap_hours)
    maker = system("freehold api-keys rotate")
    made: NewKey = _run(
        target,
        "rotate",
        lambda keys, session: keys.rotate(session, key_id, owner_id=None, maker=maker, overlap=overlap),
    )
    typer.echo(f"{made.id}  {made.key}  until {made.expires_at:%Y-%m-%d}")


@app.command()
def revoke(key_id: KeyId, *, target: AppOption = None) -> None:
    """Revoke a key: it is refused from now on, by every process."""
    _run(target, "revoke", lambda keys, session: keys.revoke(session, key_id, owner_id=None))


def _run(target: str | None, command: str, work: Work) -> Any:
    return run_on_accounts(
        accounts_of(target),
        f"freehold api-keys {command}",
        lambda identity, session: work(identity.parts.api_keys, session),
    )


def _networks(given: list[str]) -> list[str]:
    from ipaddress import ip_network

    try:
        return [str(ip_network(each, strict=False)) for each in given]
    except ValueError as error:
        raise ConfigurationError(f"--from: {error}") from None


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, list) else str(value)
