"""The request headers that the edge looks at, found in one pass."""

from __future__ import annotations

from collections.abc import Sequence

CREDENTIALS = (b"authorization", b"cookie", b"x-api-key")
"""The fields that say who calls: answers differ by them."""

IDS = (b"x-request-id", b"traceparent")
"""The fields that say what a request is, mostly another one each time."""
ONCE = (*IDS, b"idempotency-key", b"if-match")
"""The fields that are of one request alone."""
_WATCHED = frozenset(
    {
        *CREDENTIALS,
        *ONCE,
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"content-encoding",
        b"origin",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"forwarded",
        b"access-control-request-method",
    }
)
_LISTS = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"forwarded", b"transfer-encoding"})
_NONE: frozenset[bytes] = frozenset()


class Fields:
    """The watched headers by name, lists joined. `repeated` holds names that came more than once and are no lists.

    size_bytes and count are those of the whole block. has_credentials: whether the request says who calls.
    has_ids: whether it brings ids of its own.
    """

    __slots__ = ("count", "has_credentials", "has_ids", "repeated", "size_bytes", "values")

    def __init__(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        values: dict[bytes, bytes] = {}
        repeated: set[bytes] | frozenset[bytes] = _NONE
        size = 0
        for name, value in headers:
            size += len(name) + len(value) + 4
            if name in _WATCHED:
                if name not in values:
                    values[name] = value
                elif name in _LISTS:
                    values[name] += b"," + value
                else:
                    repeated = repeated | {name}
        self.values = values
        self.repeated = repeated
        self.size_bytes = size
        self.count = len(headers)
        names = values.keys()
        self.has_credentials = not names.isdisjoint(CREDENTIALS)
        self.has_ids = not names.isdisjoint(IDS)

    def single(self, name: bytes) -> bytes | None:
        """The value when it came exactly once."""
        return None if name in self.repeated else self.values.get(name)
