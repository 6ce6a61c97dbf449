"""The faults, each as a run that any contender can be put through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from proof.figures import Figures
from proof.runs import cuts, kills, leaks, races, retries
from proof.service import Contender, Service

Run = Callable[[Service], Awaitable[Figures]]

ORDERS: dict[str, Run] = {
    "clients whose connection breaks, and who try again": retries.run,
    "kill -9 under load": kills.run,
    "database connections cut under load": cuts.run,
}
BOOKINGS: dict[str, Run] = {
    "two clients, one night; many clients, few units": races.run,
    "one guest asks for what belongs to others": leaks.run,
}


def runs_of(contender: Contender) -> dict[str, Run]:
    """By what they are called."""
    return ORDERS if contender.only_orders else ORDERS | BOOKINGS
