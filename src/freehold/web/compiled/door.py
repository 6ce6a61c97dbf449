"""The door of a compiled operation: as `admission.enter`, without a `Request`."""

from __future__ import annotations

from typing import Any, Final

from starlette.types import Scope

from freehold.resource.access import Constant, Owner, Role, Rule, SignedIn, Where
from freehold.resource.access import Scope as Scoped
from freehold.resource.principal import Principal
from freehold.traffic.policy import Policy
from freehold.traffic.service import Traffic
from freehold.web.admission import count_under, tell_quotas
from freehold.web.execution import address_of
from freehold.web.guard import caller_at_once, caller_of, require
from freehold.web.runtime import Runtime

_MOST_KINDS: Final = 1_000
# What these say of a caller depends on roles and scopes alone, or nothing; a rule that asks for more is asked every time.
_BY_ROLE: Final = (Constant, SignedIn, Role, Scoped, Owner, Where)


class Door:
    """Lets callers in to one operation. What a rule says of a kind of caller (roles, scopes, own or by an application) is asked once."""

    def __init__(self, rule: Rule, policy: Policy, *, writes: bool = False) -> None:
        self._writes = writes
        self._rule = rule
        self._own = None if policy.is_nothing else policy  # then that of the service, as it is
        self._is_by_role = all(isinstance(atom, _BY_ROLE) for atom in rule.atoms())
        self._let_in: set[Any] = set()
        self._traffic: Traffic | None = None
        self._policy = policy
        self._is_at_once = False

    async def enter(self, parts: Runtime, scope: Scope) -> Principal:
        """The caller. Raises what `admission.enter` raises, in its order."""
        principal = caller_at_once(parts, scope) or await caller_of(parts, scope)
        if not self.enter_at_once(parts, scope, principal):
            await count_under(parts, scope, principal, self._policy)
            self._judge(principal)
        return principal

    def enter_at_once(self, parts: Runtime, scope: Scope, principal: Principal) -> bool:
        """The same for a known caller, where nothing has to be waited for; False, and nothing is counted, where something has."""
        traffic = parts.traffic
        if traffic is not self._traffic:
            self._settle(traffic)
        if not self._is_at_once:
            return False
        if not self._policy.is_nothing:
            decisions = traffic.admission.admit_at_once(self._policy, principal, address_of(scope))
            tell_quotas(scope, decisions or ())
        if principal.rights not in self._let_in:
            self._judge(principal)
        return True

    def is_at_once(self, parts: Runtime) -> bool:
        """Whether `enter_at_once` lets in or refuses: what is counted is counted in this process."""
        if parts.traffic is not self._traffic:
            self._settle(parts.traffic)
        return self._is_at_once

    def _settle(self, traffic: Traffic) -> None:
        self._policy = traffic.defaults.complete(self._own, writes=self._writes)
        is_counted_here = self._policy.is_nothing or traffic.admission.is_at_once
        self._is_at_once = is_counted_here and not self._policy.limits_progress
        self._traffic = traffic

    def _judge(self, principal: Principal) -> None:
        require(self._rule, principal)
        if self._is_by_role:
            if len(self._let_in) >= _MOST_KINDS:
                self._let_in.clear()
            self._let_in.add(principal.rights)
