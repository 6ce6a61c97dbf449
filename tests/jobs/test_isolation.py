"""A job that is to run alone, where others take long."""

from __future__ import annotations

from uuid import uuid4

import pytest

from freehold.jobs import isolation
from freehold.jobs.claiming import Chosen
from freehold.jobs.isolation import Isolation


class Clock:
    """What the module takes for the time."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(isolation, "time", found)
    return found


SUSPECT, OTHER = (Chosen(uuid4(), is_suspect=each) for each in (True, False))


def waited(process: Isolation, clock: Clock) -> int:
    """The seconds that it takes nothing, busy all the time, until it goes on."""
    began = clock.now
    while process.wants_suspects:
        assert process.of([SUSPECT, OTHER], is_busy=True) == []
        clock.now += 1
    return round(clock.now - began)


def gone_on(process: Isolation, clock: Clock) -> int:
    """The seconds for which it takes the others."""
    began = clock.now
    while not process.wants_suspects:
        assert process.of([OTHER], is_busy=True) == [OTHER.id]
        clock.now += 1
    return round(clock.now - began)


def test_J03_it_begins_however_long_the_others_take(clock: Clock) -> None:
    process = Isolation()
    tries, between = [], []
    for _ in range(9):
        tries.append(waited(process, clock))
        between.append(gone_on(process, clock))
    assert tries == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert between == [301, 301, 301, 301, 481, 961, 1921, 3601, 3601], (
        "half of the time the others have, whatever runs"
    )


def test_J03_once_it_has_begun_the_next_one_waits_as_little_as_the_first(clock: Clock) -> None:
    process = Isolation()
    waited(process, clock)
    clock.now += 301
    assert process.wants_suspects
    assert process.of([SUSPECT, OTHER], is_busy=False) == [SUSPECT.id]
    assert waited(process, clock) == 30
