"""The collector of cycles, out of the way while modules are loaded.

What is loaded stays. Meanwhile the collector would walk through it again and again, each time through more of it, and find nothing: a third of the time that a start
takes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused(*, for_good: bool = False) -> Iterator[None]:
    """Nothing is collected inside, but by counting. As it was before, afterwards, and what was loaded counts as old.

    for_good: what there is by then stays as long as the process, which serves it and does nothing else.
    """
    was_on = gc.isenabled()
    has_frozen = was_on and gc.get_freeze_count() > 0
    gc.disable()
    try:
        yield
    finally:
        if for_good:
            gc.freeze()
        elif was_on and not has_frozen:
            # Straight into the oldest generation. In the youngest, the next few objects would have all of it walked through.
            gc.freeze()
            gc.unfreeze()
        if was_on:
            gc.enable()
