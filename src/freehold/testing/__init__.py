"""Tests of a service built on Freehold: a pytest plugin, clients, factories, and proofs generated from the declaration.

The fixtures are in `plugin`; what they give can be used without pytest too.
"""

from freehold.testing.blocking import LoopBlocked, unblocked
from freehold.testing.budget import OverBudget
from freehold.testing.clock import Clock
from freehold.testing.factories import Factory, build
from freehold.testing.house import House, opened, running
from freehold.testing.naughty import Naughty, naughty
from freehold.testing.person import Answer, Person
from freehold.testing.proofs import (
    NOBODY,
    Interference,
    Scene,
    Seed,
    Unguarded,
    Vacuous,
    WrongAnswer,
    access_table,
    every_route_has_a_rule,
    non_interference,
)
from freehold.testing.receiver import Receiver, receiving
from freehold.testing.scenario import Scenario
from freehold.testing.stage import Stage

__all__ = [
    "NOBODY",
    "Answer",
    "Clock",
    "Factory",
    "House",
    "Interference",
    "LoopBlocked",
    "Naughty",
    "OverBudget",
    "Person",
    "Receiver",
    "Scenario",
    "Scene",
    "Seed",
    "Stage",
    "Unguarded",
    "Vacuous",
    "WrongAnswer",
    "access_table",
    "build",
    "every_route_has_a_rule",
    "naughty",
    "non_interference",
    "opened",
    "receiving",
    "running",
    "unblocked",
]
