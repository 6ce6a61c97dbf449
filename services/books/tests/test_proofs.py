"""Proofs that Freehold makes from the declarations: who may do what, and that nobody learns what is not theirs."""

from __future__ import annotations

import pytest

from freehold import Freehold
from freehold.testing import access_table, every_route_has_a_rule, non_interference

from .scenes import seed


@pytest.mark.proof
@pytest.mark.timeout(240)
@pytest.mark.anyio
async def test_every_operation_answers_every_caller_as_declared(app: Freehold) -> None:
    await access_table(app, seed)


@pytest.mark.proof
@pytest.mark.timeout(240)
@pytest.mark.anyio
async def test_nobody_learns_what_is_not_theirs(app: Freehold) -> None:
    await non_interference(app, seed)


def test_every_route_has_a_rule(app: Freehold) -> None:
    every_route_has_a_rule(app)
