"""The door of a compiled operation: as `admission.enter`, without a `Request`."""

from __future__ import annotations

from typing import Any, Final

from starlette.types import Scope

from freehold.resource.access import Constant, Owner, Role, Rule, SignedIn, Where
from freehold.resource.access import Scope as Scoped
from freehold.resource.principal import Principal
from freehold.traffic.policy import Defaults, Policy
from freehold.web.admission import count_at_once, count_under
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
        self._policy = None if policy.is_nothing else policy  # then that of the service, as it is
        self._is_by_role = all(isinstance(atom, _BY_ROLE) for atom in rule.atoms())
        self._let_in: set[Any] = set()
        self._defaults: Defaults | None = None
        self._complete = policy

    async def enter(self, parts: Runtime, scope: Scope) -> Principal:
        """The caller. Raises what `admission.enter` raises, in its order."""
        principal = caller_at_once(parts, scope) or await caller_of(parts, scope)
        if not self.enter_at_once(parts, scope, principal):
            await count_under(parts, scope, principal, self._policy_of(parts))
            self._judge(principal)
        return principal

    def enter_at_once(self, parts: Runtime, scope: Scope, principal: Principal) -> bool:
        """The same for a known caller, where nothing has to be waited for; False, and nothing is counted, where something has."""
        if not count_at_once(parts, scope, principal, self._policy_of(parts)):
            return False
        self._judge(principal)
        return True

    def is_at_once(self, parts: Runtime) -> bool:
        """Whether `enter_at_once` lets in or refuses: what is counted is counted in this process."""
        return not self._policy_of(parts).limits_progress and parts.traffic.admission.is_at_once

    def _policy_of(self, parts: Runtime) -> Policy:
        defaults = parts.traffic.defaults
        if defaults is not self._defaults:
            self._defaults, self._complete = defaults, defaults.complete(self._policy, writes=self._writes)
        return self._complete

    def _judge(self, principal: Principal) -> None:
        if not self._is_by_role:
            require(self._rule, principal)
            return
        kind = principal.rights
        if kind not in self._let_in:
            require(self._rule, principal)
            if len(self._let_in) >= _MOST_KINDS:
                self._let_in.clear()
            self._let_in.add(kind)
