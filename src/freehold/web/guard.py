"""Who calls, and whether the part of the rule that is about the caller lets the request on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import HTTPConnection
from starlette.types import Scope as ASGIScope

from freehold.errors import Forbidden, InsufficientScope, Unauthenticated
from freehold.resource.access import Constant, Rule, Scope, anyone
from freehold.resource.applications import counting_for, names_scope
from freehold.resource.principal import ANONYMOUS, Principal
from freehold.web.runtime import Runtime, runtime
from freehold.web.step_up import step_ups


async def principal_of(connection: HTTPConnection) -> Principal:
    """The caller, authenticated once per request.

    Raises Unauthenticated for a credential that is not good, BadRequest for two, Forbidden for a cookie that a page of
    others made the browser send.
    """
    return await caller_of(runtime(connection), connection.scope, connection)


async def caller_of(parts: Runtime, scope: ASGIScope, connection: HTTPConnection | None = None) -> Principal:
    """The same, of a request that need not be wrapped up as one. connection: where it is; a reader may want its body."""
    state = scope.setdefault("state", {})
    found: Principal | None = state.get("fh_principal")
    if found is None:
        if parts.identify is not None:
            found = await parts.identify(connection or HTTPConnection(scope))
        else:
            found = await parts.credentials.identified(scope, parts.authenticator, connection)
        state["fh_principal"] = found
    return found


def caller_at_once(parts: Runtime, scope: ASGIScope) -> Principal | None:
    """The same where nothing has to be waited for; None where something may have, a refusal among it."""
    state = scope["state"]
    found: Principal | None = state.get("fh_principal")
    if found is None and parts.identify is None:
        found = parts.credentials.at_once(scope, parts.authenticator)
        if found is not None:
            state["fh_principal"] = found
    return found


def require(rule: Rule, principal: Principal) -> None:
    """Refuse a caller whom no row could help.

    401 for nobody, 403 with the scopes that lack, 401 where a more recent or stronger log-in would do, 403 otherwise.
    An application that acts for the caller is let in by a scope that the rule names, or where it is about nobody in
    particular; no other way that the rule leaves to the caller counts.
    """
    if principal.client_id is not None and not _is_for_clients(rule):
        raise Forbidden("This operation is not open to applications.", code="auth.not_for_clients")
    rule = counting_for(rule, principal)
    if not _refused(rule, principal):
        return
    if principal.is_anonymous:
        raise Unauthenticated
    lacking = lacking_scopes(rule, principal)
    if lacking and not _refused(rule, with_scopes(principal, lacking)):
        raise InsufficientScope(*_needed(rule, principal, lacking))
    for each in step_ups(rule, principal):
        if not _refused(rule, with_scopes(each.done_by(principal), lacking) if lacking else each.done_by(principal)):
            raise each.refusal()
    raise Forbidden


def _is_for_clients(rule: Rule) -> bool:
    return names_scope(rule) or rule.simplify(ANONYMOUS) == anyone


def is_closed(rule: Rule) -> bool:
    """Whether nobody at all could pass: the operation is not mounted."""
    return isinstance(rule, Constant) and not rule.value


def _refused(rule: Rule, principal: Principal) -> bool:
    return is_closed(rule.simplify(principal))


def lacking_scopes(rule: Rule, principal: Principal) -> tuple[str, ...]:
    """The scopes that a rule names and the caller's token lacks, in order of mention."""
    if principal.scopes is None or principal.is_anonymous:
        return ()
    named = (atom.name for atom in rule.atoms() if isinstance(atom, Scope))
    return tuple(name for name in dict.fromkeys(named) if not principal.has_scope(name))


def with_scopes(principal: Principal, names: Sequence[str]) -> Principal:
    """The caller, were its token to carry these as well."""
    return replace(principal, scopes=(principal.scopes or frozenset()) | set(names))


def _needed(rule: Rule, principal: Principal, lacking: Sequence[str]) -> list[str]:
    """The fewest of the lacking scopes that let the caller pass, the first named rather than the last."""
    needed = list(lacking)
    for name in reversed(lacking):
        others = [each for each in needed if each != name]
        if not _refused(rule, with_scopes(principal, others)):
            needed = others
    return needed


__all__ = ["ANONYMOUS", "is_closed", "lacking_scopes", "principal_of", "require", "with_scopes"]
