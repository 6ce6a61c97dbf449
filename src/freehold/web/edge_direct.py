"""What answers some requests before the edge has to look at them. See `compiled/direct.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from freehold.web.edge_cycle import Cycle
    from freehold.web.edge_protocol import StrictProtocol


class Direct(Protocol):
    """Answers some requests without a task of theirs."""

    def takes(self, server: StrictProtocol, cycle: Cycle, app: Any) -> bool:
        """Begin to answer a request. False, and nothing is counted or sent, for one that has to take the way of all. Raises nothing.

        app: that the server serves.
        """
        ...

    def repeats(self, server: StrictProtocol, piece: bytes) -> bool:
        """The same for one that has not been read: all that a connection gets, on which nothing else is under way.

        Where its fields came before, and it is otherwise plain, nobody needs to read it.
        """
        ...
