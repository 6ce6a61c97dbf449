"""The request headers that the edge looks at, found in one pass."""

from __future__ import annotations

from collections.abc import Iterable

CREDENTIALS = (b"authorization", b"cookie", b"x-api-key")
"""The fields that say who calls: answers differ by them."""

_WATCHED = frozenset(
    {
        *CREDENTIALS,
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"content-encoding",
        b"origin",
        b"x-request-id",
        b"traceparent",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"forwarded",
        b"access-control-request-method",
    }
)
_LISTS = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"forwarded", b"transfer-encoding"})
_NONE: frozenset[bytes] = frozenset()


class Fields:
    """The watched headers by name. `repeated` holds names that came more than once and are no lists.

    size_bytes and count are those of the whole block.
    """

    __slots__ = ("_values", "count", "repeated", "size_bytes")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        values: dict[bytes, bytes] = {}
        repeated: set[bytes] | frozenset[bytes] = _NONE
        size = count = 0
        for name, value in headers:
            size += len(name) + len(value) + 4
            count += 1
            if name in _WATCHED:
                if name not in values:
                    values[name] = value
                elif name in _LISTS:
                    values[name] += b"," + value
                else:
                    repeated = repeated | {name}
        self._values = values
        self.repeated = repeated
        self.size_bytes = size
        self.count = count

    @property
    def has_credentials(self) -> bool:
        """Whether the request says who calls."""
        return not self._values.keys().isdisjoint(CREDENTIALS)

    def get(self, name: bytes) -> bytes | None:
        """The value, lists joined; None when it was not sent."""
        return self._values.get(name)

    def single(self, name: bytes) -> bytes | None:
        """The value when it came exactly once."""
        return None if name in self.repeated else self._values.get(name)
