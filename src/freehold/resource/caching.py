"""How long an answer may be kept, as a resource or an endpoint declares it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from freehold.errors import ConfigurationError

_UNKEYED = frozenset({"host", "cookie", "connection", "content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Cache:
    """Keep the answers of a reading operation on the server.

    seconds: no answer is older. An answer is dropped earlier by the commit that writes to a table which it was made from;
    the tables are found by themselves. tags: further names that it depends on, dropped by `forget(db, name)`.
    ignores_writes: keep it for its whole time whatever is written.
    stale_seconds: an answer whose time is over, not one that a commit dropped, is given for so long while a new one is
    made, and where that fails.
    client_seconds: clients may keep it for so long without asking (and shared caches, where anyone may read it); they hear
    of no commit meanwhile. Without it they ask each time, and 304 tells them that what they have is right.
    per_caller: one answer per person. Otherwise callers of equal rights share one, unless the rules of what it was read
    from ask who the caller is.
    vary: request headers that the answer depends on, such as Accept-Language. An endpoint of one's own sees no others.
    """

    seconds: float
    tags: Sequence[str] = ()
    ignores_writes: bool = False
    stale_seconds: float = 0
    client_seconds: int = 0
    per_caller: bool = False
    vary: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= 31_536_000 or self.stale_seconds < 0 or self.client_seconds < 0:
            raise ConfigurationError("Cache: seconds is more than 0 and at most a year, and no time is negative")
        if self.client_seconds > self.seconds:
            raise ConfigurationError(
                f"Cache(seconds={self.seconds:g}, client_seconds={self.client_seconds}): a client would keep an answer "
                "for longer than the server does; give client_seconds of at most seconds"
            )
        for name in self.vary:
            if name.lower() in _UNKEYED:
                raise ConfigurationError(f"Cache(vary=[{name!r}]): no answer that is kept may depend on this header")

    def describe(self) -> str:
        """As a person writes it: `60 s`, `300 s whatever is written`."""
        return f"{self.seconds:g} s" + (" whatever is written" if self.ignores_writes else "")
