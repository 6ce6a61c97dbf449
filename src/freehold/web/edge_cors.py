"""Cross-origin requests (the Fetch standard's CORS protocol): listed origins, compared whole, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

RawHeaders = list[tuple[bytes, bytes]]

_EXPOSED = (
    b"ETag, Location, Link, Retry-After, RateLimit, RateLimit-Policy, X-Request-ID, Idempotent-Replayed, "
    b"Deprecation, Sunset, WWW-Authenticate"
)
_ACCEPTED = (
    b"Accept, Accept-Language, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "
    b"Traceparent, X-CSRF-Token, X-Request-ID"
)
_MAX_AGE_SECONDS = b"600"


class Cors:
    """Which origins may read answers. credentials: whether their cookies count."""

    def __init__(self, origins: Sequence[str], *, credentials: bool) -> None:
        self._any = "*" in origins
        self._listed = frozenset(origin.encode() for origin in origins) - {b"*", b"null"}
        self._credentials: RawHeaders = [(b"access-control-allow-credentials", b"true")] if credentials else []

    def headers(self, origin: bytes | None) -> RawHeaders:
        """What an answer to this Origin carries; nothing for an origin that is not listed, `null` among them."""
        if origin is None or origin == b"null":
            return []
        if origin in self._listed:
            exposed = (b"access-control-expose-headers", _EXPOSED)
            return [(b"access-control-allow-origin", origin), exposed, *self._credentials]
        if self._any:
            return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", _EXPOSED)]
        return []

    def preflight(self, origin: bytes | None, methods: Sequence[str]) -> RawHeaders:
        """What the answer to a preflight carries besides `headers`."""
        if not self.headers(origin):
            return []
        return [
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", _ACCEPTED),
            (b"access-control-max-age", _MAX_AGE_SECONDS),
        ]
