"""What a cancellation that came too late has to say: what it cancelled may be done.

It is noted on the error itself, not by a class of its own: `asyncio.timeout` knows its cancellation by the exact class.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

DONE_LATE: Final = "The request took too long, and what it asked for may be done."
"""For whoever is told of it, by `OutcomeUnknown`."""
_DONE: Final = "fh_may_be_done"


def note_done(cancelled: CancelledError) -> None:
    """What was cancelled was with the database by then, and was committed, or nobody knows."""
    setattr(cancelled, _DONE, True)


@contextmanager
def noting_done(is_done: Callable[[], bool]) -> Iterator[None]:
    """Around what does something: a cancellation that leaves it says so, where it is done by then."""
    try:
        yield
    except CancelledError as cancelled:
        if is_done():
            note_done(cancelled)
        raise


def may_be_done(cancelled: BaseException) -> bool:
    """Whether that is so: nobody may say then that nothing was changed."""
    return bool(getattr(cancelled, _DONE, False))
