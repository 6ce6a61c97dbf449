"""Who calls, and whether the part of the rule that is about the caller lets the request on."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import HTTPConnection

from freehold.errors import Forbidden, InsufficientScope, Unauthenticated
from freehold.resource.access import Constant, Rule, Scope
from freehold.resource.principal import ANONYMOUS, Principal
from freehold.web.runtime import runtime


async def principal_of(connection: HTTPConnection) -> Principal:
    """The caller, authenticated once per request. Raises Unauthenticated for a credential that is not good."""
    state = connection.scope.setdefault("state", {})
    found: Principal | None = state.get("fh_principal")
    if found is None:
        parts = runtime(connection)
        if parts.identify is not None:
            found = await parts.identify(connection)
        else:
            found = await parts.authenticator.authenticate(connection.headers.getlist("authorization"))
        state["fh_principal"] = found
    return found


def require(rule: Rule, principal: Principal) -> None:
    """Refuse a caller whom no row could help: 401 for nobody, 403 with the scope that lacks, 403 otherwise."""
    if not _refused(rule, principal):
        return
    if principal.is_anonymous:
        raise Unauthenticated
    missing = _missing_scope(rule, principal)
    if missing is not None:
        raise InsufficientScope(missing)
    raise Forbidden


def is_closed(rule: Rule) -> bool:
    """Whether nobody at all could pass: the operation is not mounted."""
    return isinstance(rule, Constant) and not rule.value


def _refused(rule: Rule, principal: Principal) -> bool:
    return is_closed(rule.simplify(principal))


def _missing_scope(rule: Rule, principal: Principal) -> str | None:
    """The first scope that would have made the difference."""
    if principal.scopes is None or _refused(rule, replace(principal, scopes=None)):
        return None
    wanted = [atom.name for atom in rule.atoms() if isinstance(atom, Scope) and not principal.has_scope(atom.name)]
    return wanted[0] if wanted else None


__all__ = ["ANONYMOUS", "is_closed", "principal_of", "require"]
