"""`freehold clients`: the applications that may ask people for access, where the service is a provider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from freehold.cli.output import AsJson, write_json, write_rows
from freehold.cli.running import accounts_of, run_on_accounts
from freehold.cli.target import AppOption
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from freehold.identity import Identity
    from freehold.identity.provider import Client, ProviderParts
    from freehold.store.session import Session

app = typer.Typer(help="OAuth clients: add, list, remove, rotate.", no_args_is_help=True)

Work = Callable[["Identity", "ProviderParts", "Session"], Awaitable[Any]]
ClientId = Annotated[UUID, typer.Argument(metavar="CLIENT_ID")]
_COLUMNS = ("client_id", "name", "kind", "scopes", "grants")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="As people read it on the consent page.")],
    *,
    redirect: Annotated[list[str] | None, typer.Option("--redirect", help="Compared whole; may come often.")] = None,
    after_log_out: Annotated[list[str] | None, typer.Option(help="Where to go after a log-out.")] = None,
    back_channel: Annotated[str | None, typer.Option(help="Where log-outs are told.")] = None,
    scope: Annotated[list[str] | None, typer.Option("--scope", help="May be given several times.")] = None,
    grant: Annotated[list[str] | None, typer.Option("--grant", help="Default: code and refresh.")] = None,
    public: Annotated[bool, typer.Option("--public", help="It cannot keep a secret: a browser or a device.")] = False,
    account: Annotated[str | None, typer.Option(help="Whom it acts as by client_credentials: an e-mail.")] = None,
    jwks: Annotated[Path | None, typer.Option(help="Its public keys, instead of a secret.")] = None,
    require_par: Annotated[bool, typer.Option("--require-par")] = False,
    require_dpop: Annotated[bool, typer.Option("--require-dpop")] = False,
    introspects_all: Annotated[bool, typer.Option("--introspects-all", help="A resource server.")] = False,
    json: AsJson = False,
    target: AppOption = None,
) -> None:
    """Register a client. Its secret is printed this once."""
    from freehold.cli.user import find
    from freehold.identity.provider import Draft
    from freehold.identity.provider.clients import CODE, REFRESH

    async def work(identity: Identity, parts: ProviderParts, session: Session) -> tuple[Client, str | None]:
        draft = Draft(
            name=name,
            is_public=public,
            redirect_uris=redirect or (),
            post_logout_redirect_uris=after_log_out or (),
            back_channel_logout_uri=back_channel,
            scopes=scope or (),
            grants=grant or (CODE, REFRESH),
            account_id=None if account is None else await find(identity, session, account),
            jwks=None if jwks is None else _keys(jwks),
            requires_pushed=require_par,
            requires_proof=require_dpop,
            introspects_all=introspects_all,
        )
        return await parts.clients.add(session, draft)

    client, secret = _run(target, "freehold clients add", work)
    made = {"client_id": str(client.id), **({} if secret is None else {"client_secret": secret})}
    if json:
        write_json(made)
        return
    for label, value in made.items():
        typer.echo(f"{label:<14} {value}")


@app.command("list")
def list_(*, json: AsJson = False, target: AppOption = None) -> None:
    """List the clients. No secret is shown: there is none to show."""

    async def work(_identity: Identity, parts: ProviderParts, session: Session) -> list[dict[str, Any]]:
        return [_row(client) for client in await parts.clients.listed(session)]

    write_rows(_run(target, "freehold clients list", work, writes=False), as_json=json, columns=_COLUMNS)


@app.command()
def remove(client_id: ClientId, *, target: AppOption = None) -> None:
    """Remove a client: what it holds of people is dead at once, its access tokens within 5 s."""

    async def work(_identity: Identity, parts: ProviderParts, session: Session) -> None:
        await parts.clients.remove(session, client_id)

    _run(target, "freehold clients remove", work)
    typer.echo(f"{client_id}: removed")


@app.command()
def rotate(client_id: ClientId, *, target: AppOption = None) -> None:
    """Give a client another secret, printed this once. The former one is good for one more day."""

    async def work(_identity: Identity, parts: ProviderParts, session: Session) -> str:
        return await parts.clients.rotate(session, client_id)

    typer.echo(f"client_secret  {_run(target, 'freehold clients rotate', work)}")


def _run(target: str | None, reason: str, work: Work, *, writes: bool = True) -> Any:
    service = accounts_of(target)
    parts = service.identity.parts.provider
    if parts is None:
        raise ConfigurationError(f"{service.title} is no provider: Identity(..., provider=Provider(...)).")
    return run_on_accounts(service, reason, lambda identity, session: work(identity, parts, session), writes=writes)


def _keys(path: Path) -> dict[str, Any]:
    import json

    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"--jwks {path}: {error}") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"--jwks {path}: a key set is an object with `keys`.")
    return found


def _row(client: Client) -> dict[str, Any]:
    kind = "public" if client.is_public else "confidential, by key" if client.jwks is not None else "confidential"
    return {
        "client_id": str(client.id),
        "name": client.name,
        "kind": kind,
        "redirect_uris": list(client.redirect_uris),
        "scopes": sorted(client.scopes),
        "grants": sorted(client.grants),
        "created_at": client.created_at.isoformat(),
    }
