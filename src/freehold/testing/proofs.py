"""Proofs that any service gets for free from its declaration. Three lines each in the service's tests::

    async def test_nobody_learns_what_is_not_theirs(app):
        await non_interference(app, seed)

    async def test_every_operation_answers_as_declared(app):
        await access_table(app, seed)

    def test_every_route_has_a_rule(app):
        every_route_has_a_rule(app)

`seed` makes people and rows, and says which rows are secret from whom. `access_table` holds the answers against the
declaration, so it finds what runs otherwise than declared; `non_interference` holds them against the seed, so it also
finds a declaration that was loosened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freehold.testing.access_table import Line, WrongAnswer, access_table
from freehold.testing.interference import Comparison, Interference, Vacuous, non_interference
from freehold.testing.own_routes import routes
from freehold.testing.probes import Probe
from freehold.testing.scene import NOBODY, Scene, Seed

if TYPE_CHECKING:
    from freehold.web.app import Freehold


class Unguarded(AssertionError):
    """A path operation says nothing of who may call it. The message lists them."""


def every_route_has_a_rule(app: Freehold) -> dict[str, str]:
    """The rule of every path operation, as written, by method and path. Raises Unguarded (Z01)."""
    declared = {operation.id: operation.rule for operation in app.mounted.operations}
    found, bare = {}, []
    for path, route, own in routes(app):
        rule = declared.get(route.operation_id or "", own)
        for method in sorted(route.methods or ()):
            if rule is None:
                bare.append(f"{method} {path}")
            else:
                found[f"{method} {path}"] = rule.describe()
    if bare:
        raise Unguarded("no access rule on " + ", ".join(bare))
    return found


__all__ = [
    "NOBODY",
    "Comparison",
    "Interference",
    "Line",
    "Probe",
    "Scene",
    "Seed",
    "Unguarded",
    "Vacuous",
    "WrongAnswer",
    "access_table",
    "every_route_has_a_rule",
    "non_interference",
]
