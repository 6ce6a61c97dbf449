"""An id that one process has and no other: also not one that was forked from it."""

from __future__ import annotations

import os
from uuid import UUID, uuid4


class OwnId:
    """Random, and the same at each call in one process. Made with the application, which is made before the fork."""

    def __init__(self) -> None:
        self._process, self._id = 0, uuid4()

    def __call__(self) -> UUID:
        if self._process != os.getpid():
            self._process, self._id = os.getpid(), uuid4()
        return self._id
