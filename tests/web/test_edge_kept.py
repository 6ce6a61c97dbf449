"""A connection that is kept for its next request is closed when none came for as long; one timer serves all of its waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from freehold.web.edge_protocol import StrictProtocol


class Loop:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> object:
        self.timers.append((self.now + seconds, call))
        return object()

    def until(self, moment: float) -> None:
        while self.timers and self.timers[0][0] <= moment:
            self.now, call = self.timers.pop(0)
            call()
        self.now = moment


class Transport:
    is_closed = False

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


def connection() -> tuple[StrictProtocol, Loop, Transport]:
    made: Any = StrictProtocol.__new__(StrictProtocol)
    made.loop, made.transport = Loop(), Transport()
    made.timeout_keep_alive, made.timeout_keep_alive_task = 10, None
    return made, made.loop, made.transport


def test_each_answer_moves_the_end_of_the_wait() -> None:
    made, loop, transport = connection()
    made._wait_for_next()
    loop.until(6)
    made._unset_keepalive_if_required()
    made._wait_for_next()
    assert len(loop.timers) == 1
    loop.until(15.9)
    assert not transport.is_closed
    loop.until(16)
    assert transport.is_closed


def test_a_request_that_is_being_answered_is_not_cut_off() -> None:
    made, loop, transport = connection()
    made._wait_for_next()
    loop.until(6)
    made._unset_keepalive_if_required()
    loop.until(60)
    assert not transport.is_closed
    made._wait_for_next()
    loop.until(69.9)
    assert not transport.is_closed
    loop.until(70)
    assert transport.is_closed
