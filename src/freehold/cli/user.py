"""`freehold user`: the accounts of a service, for whoever may run commands on its machine."""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from freehold.cli.output import AsJson, write_rows
from freehold.cli.running import accounts_of, run_on_accounts
from freehold.cli.target import AppOption
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from freehold.identity import Identity
    from freehold.resource.principal import Principal
    from freehold.store.database import Database
    from freehold.store.session import Session

app = typer.Typer(help="Accounts: add, list, give roles, disable, enable.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(metavar="EMAIL")]


@app.command()
def add(
    email: Email,
    *,
    full_name: Annotated[str, typer.Option(help="The name that others see.")] = "",
    roles: Annotated[list[str] | None, typer.Option("--role", help="May be given several times.")] = None,
    fields: Annotated[
        list[str] | None, typer.Option("--field", help="name=value of the service's own, as in --field account=tenant.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    generate: Annotated[bool, typer.Option("--generate", help="Make a password and print it.")] = False,
    target: AppOption = None,
) -> None:
    """Add an account. The password is asked for, unless it comes from standard input or is made here.

    The owner gets the mail that verifies the address, as after a registration.
    """
    service = accounts_of(target)
    password = _password(from_stdin=password_stdin, generate=generate)
    draft = {"email": email, "password": password, "full_name": full_name or email.partition("@")[0]}
    draft |= _pairs(fields or [])

    async def work(identity: Identity, session: Session) -> UUID:
        form = _valid(identity, draft)
        identity.parts.policy.check(password, names=(str(draft["full_name"]), email))
        password_hash = await identity.parts.passwords.hash(password)
        user_id = await identity.parts.accounts.register(session, form, password_hash=password_hash)
        if roles:
            await identity.parts.accounts.set_roles(session, user_id, roles)
        return user_id

    user_id = run_on_accounts(service, "freehold user add", work)
    typer.echo(f"{user_id}  {email}" + (f"  {password}" if generate else ""))


@app.command("list")
def list_(*, json: AsJson = False, target: AppOption = None) -> None:
    """List the accounts: id, e-mail, name, roles, and whether they may log in."""

    async def work(identity: Identity, session: Session) -> list[dict[str, Any]]:
        from sqlalchemy import select

        user: Any = identity.user
        query = select(user).where(user.deleted_at.is_(None)).order_by(user.created_at, user.id)
        return [_row(each) for each in (await session.execute(query)).scalars()]

    rows = run_on_accounts(accounts_of(target), "freehold user list", work, writes=False)
    write_rows(rows, as_json=json)


@app.command()
def roles(
    email: Email,
    names: Annotated[list[str] | None, typer.Argument(metavar="[ROLE]...", help="None takes all away.")] = None,
    *,
    target: AppOption = None,
) -> None:
    """Replace the roles of an account; it follows within 5 s, without a new log-in."""

    async def work(identity: Identity, session: Session) -> None:
        await identity.parts.accounts.set_roles(session, await find(identity, session, email), names or [])

    run_on_accounts(accounts_of(target), "freehold user roles", work)
    typer.echo(f"{email}: {', '.join(sorted(names or [])) or 'no roles'}")


@app.command()
def disable(email: Email, *, target: AppOption = None) -> None:
    """Close an account: its log-ins end at once, its access tokens within 5 s."""
    _set_active(email, target, is_active=False)


@app.command()
def enable(email: Email, *, target: AppOption = None) -> None:
    """Open a disabled account again."""
    _set_active(email, target, is_active=True)


@app.command("reset-factors")
def reset_factors(email: Email, *, target: AppOption = None) -> None:
    """Remove all second factors of who has lost them. Their log-ins end, and they are told by mail."""

    async def work(identity: Identity, session: Session) -> None:
        from freehold.identity.factors import losing

        await losing.reset(identity.parts, session, await find(identity, session, email))

    run_on_accounts(accounts_of(target), "freehold user reset-factors", work)
    typer.echo(f"{email}: no second factors")


def _set_active(email: str, target: str | None, *, is_active: bool) -> None:
    async def work(identity: Identity, session: Session) -> None:
        accounts = identity.parts.accounts
        change = accounts.enable if is_active else accounts.disable
        await change(session, await find(identity, session, email))

    run_on_accounts(accounts_of(target), f"freehold user {'enable' if is_active else 'disable'}", work)
    typer.echo(f"{email}: {'enabled' if is_active else 'disabled'}")


async def find(identity: Identity, session: Session, named: str) -> UUID:
    """The id of the account with this e-mail or id. Raises ConfigurationError where there is none."""
    from sqlalchemy import select

    from freehold.identity.emails import email_key

    user: Any = identity.user
    try:
        wanted = user.id == UUID(named)
    except ValueError:
        wanted = user.email_key == email_key(named)
    found: UUID | None = (await session.execute(select(user.id).where(wanted))).scalar_one_or_none()
    if found is None:
        raise ConfigurationError(f"There is no account {named}.")
    return found


async def account(identity: Identity, database: Database, named: str, *, reason: str) -> Principal | None:
    """The caller that an account is, as it stands now; None for one that is disabled."""
    from freehold.resource.principal import system
    from freehold.web.accounts import principals

    async with database.reading(system(reason)) as session:
        user_id = await find(identity, session, named)
    return await principals(database, identity)(user_id)


def _valid(identity: Identity, draft: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    try:
        return identity.create(**draft)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        said = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        raise ConfigurationError(f"The account is not valid. {said}. Give the service's own with --field.") from None


def _password(*, from_stdin: bool, generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(18)
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _pairs(fields: list[str]) -> dict[str, str]:
    wrong = [each for each in fields if "=" not in each]
    if wrong:
        raise ConfigurationError(f"--field {wrong[0]}: write name=value.")
    return {name: value for name, _, value in (each.partition("=") for each in fields)}


def _row(user: Any) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "email": user.email,
        "full_name": user.full_name,
        "roles": list(user.roles),
        "is_active": user.is_active,
        "is_verified": user.email_verified_at is not None,
    }
