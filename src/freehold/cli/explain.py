"""`freehold explain-access`: what a caller would get for an operation, and which part of the rule decides it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.output import AsJson, write_json
from freehold.cli.running import Service, identity_or_refuse, service_of
from freehold.cli.target import AppOption
from freehold.resource.principal import MULTI_FACTOR

if TYPE_CHECKING:
    from freehold.cli.verdict import Explanation
    from freehold.resource.principal import Principal


@dataclass(frozen=True, slots=True)
class _Proved:
    """How the caller is taken to have logged in. minutes_ago: None where rules about that are to fail."""

    minutes_ago: float | None
    factor: bool

    def by(self, principal: Principal) -> Principal:
        if principal.id is None:
            return principal
        ago = None if self.minutes_ago is None else principal.seen_at - timedelta(minutes=self.minutes_ago)
        amr = frozenset({"pwd", MULTI_FACTOR} if self.factor else {"pwd"})
        return replace(principal, authenticated_at=ago, amr=amr)


def command(
    caller: Annotated[str, typer.Argument(help="An e-mail, an account's id, or anonymous.")],
    method: Annotated[str, typer.Argument(help="GET, POST, PATCH, DELETE, ...")],
    path: Annotated[str, typer.Argument(help="As requested: /v1/books/0192...")],
    *,
    minutes_ago: Annotated[
        float | None, typer.Option(help="As if the caller had logged in so long ago, for rules with recent().")
    ] = None,
    factor: Annotated[bool, typer.Option("--factor", help="As if a second factor had been proved.")] = False,
    json: AsJson = False,
    target: AppOption = None,
) -> None:
    """Say why a caller gets a 401, 403 or 404, rule by rule. Nothing is changed."""
    proved = _Proved(minutes_ago, factor=factor)
    explanation = asyncio.run(_explain(service_of(target), caller, method.upper(), path.partition("?")[0], proved))
    if json:
        write_json(explanation.as_dict())
        return
    typer.echo(f"caller     {explanation.caller}")
    typer.echo(f"operation  {explanation.operation}")
    for judged in explanation.rules:
        typer.echo(f"to {judged.verb:<7} {judged.rule}")
        for atom in judged.atoms:
            typer.echo(f"  {atom.answer:<15} {atom.text}")
    typer.echo(f"verdict    {explanation.status}: {explanation.reason}")


async def _explain(service: Service, caller: str, method: str, path: str, proved: _Proved) -> Explanation:
    from freehold.cli.verdict import explain, operation_of

    operation = operation_of(service, method, path)
    async with service.open():
        principal, named = await _principal(service, caller)
        return await explain(service, operation, proved.by(principal), named, path)


async def _principal(service: Service, caller: str) -> tuple[Principal, str]:
    from freehold.cli.user import account
    from freehold.resource.principal import ANONYMOUS

    if caller == "anonymous":
        return ANONYMOUS, "anonymous"
    identity = identity_or_refuse(service.app, service.identity)
    principal = await account(identity, service.database, caller, reason="freehold explain-access: find the caller")
    if principal is None:
        return ANONYMOUS, f"{caller} (disabled: treated as anonymous)"
    return principal, f"{caller} (roles: {', '.join(sorted(principal.roles)) or 'none'})"
