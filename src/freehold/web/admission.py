"""The door of an operation: who calls, whether the quotas let one more in, whether the rule lets this caller in."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from freehold.resource.access import Rule
from freehold.resource.principal import Principal
from freehold.traffic.limits import Decision, rate_limit_fields
from freehold.traffic.policy import Policy
from freehold.web.execution import address_of
from freehold.web.guard import principal_of, require
from freehold.web.runtime import Runtime, runtime

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


async def enter(request: Request, rule: Rule | None) -> Principal:
    """The caller, let in. In this order: authenticated (401), counted (429, 503), judged by the rule (401, 403).

    Raises Unauthenticated, QuotaExceeded, TooManyAtOnce, AtCapacity, Forbidden.
    """
    principal = await principal_of(request)
    await count(runtime(request), request.scope, principal, request.scope["state"].get("fh_policy"))
    if rule is not None:
        require(rule, principal)
        request.scope["state"]["fh_rule"] = rule
    return principal


def under(policy: Policy, endpoint: Endpoint) -> Endpoint:
    """An endpoint that enters under a policy, and gives its place back when it has answered."""
    if policy.is_nothing:
        return endpoint

    async def admitted(request: Request) -> Response:
        state = request.scope.setdefault("state", {})
        state["fh_policy"] = policy
        async with AsyncExitStack() as places:
            state["fh_places"] = places
            return await endpoint(request)

    return admitted


@asynccontextmanager
async def places(request: Request) -> AsyncIterator[None]:
    """Around a request whose parts may hold places of their own."""
    async with AsyncExitStack() as held:
        request.scope["state"]["fh_places"] = held
        yield


async def count_parts(request: Request, principal: Principal, policies: Iterable[Policy]) -> None:
    """Count a request that holds several operations as so many requests; each operation is in progress once.

    Inside `places`. Raises QuotaExceeded, TooManyAtOnce, AtCapacity.
    """
    for policy, times in Counter(policies).items():
        await count(runtime(request), request.scope, principal, policy, times=times)


async def count(parts: Runtime, scope: Scope, principal: Principal, policy: Policy | None, *, times: int = 1) -> None:
    """Count a request under a policy, or that of the service. Raises QuotaExceeded, TooManyAtOnce, AtCapacity."""
    complete = parts.traffic.defaults.complete(policy, writes=scope["method"] not in ("GET", "HEAD"))
    await count_under(parts, scope, principal, complete, times=times)


async def count_under(parts: Runtime, scope: Scope, principal: Principal, policy: Policy, *, times: int = 1) -> None:
    """The same for a policy that is complete."""
    if policy.is_nothing:
        return
    admission, address = parts.traffic.admission, address_of(scope)
    if policy.limits_progress:
        await scope["state"]["fh_places"].enter_async_context(admission.in_progress(policy, principal, address))
    tell_quotas(scope, await admission.admit(policy, principal, address, times=times))


def tell_quotas(scope: Scope, decisions: Sequence[Decision]) -> None:
    """Have the answer say what its quotas leave."""
    if decisions:
        scope["state"]["fh_headers"] = rate_limit_fields(decisions)
