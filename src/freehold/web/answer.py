"""An answer as bytes: what is committed beside the effect is what the client gets, and gets again on a retry."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import orjson
from starlette.responses import Response

# Headers that belong to the answer rather than to the exchange; the edge adds its own again on a replay.
JSON = (b"content-type", b"application/json")
SIGNIFICANT = frozenset({b"content-type", b"location", b"etag", b"link", b"cache-control", b"last-modified", b"vary"})


class Ready(Response):
    """A response whose headers are there, as bytes and in order."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status_code, self.body, self.raw_headers = status, body, headers
        self.background = None


class Refused(Exception):
    """Carries a response of status 400 or more out of a unit, so that the unit rolls back."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


@dataclass(frozen=True, slots=True)
class Frozen:
    """A response to keep."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def of(cls, response: Response) -> Frozen:
        """Freeze a response whose body is already there."""
        headers = tuple((name, value) for name, value in response.raw_headers if name in SIGNIFICANT)
        return cls(response.status_code, headers, bytes(response.body))

    def dump(self) -> bytes:
        """As bytes, to be sealed."""
        return orjson.dumps(
            {
                "s": self.status,
                "h": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in self.headers],
                "b": base64.b64encode(self.body).decode(),
            }
        )

    @classmethod
    def load(cls, data: bytes) -> Frozen:
        """The reverse of `dump`."""
        read = orjson.loads(data)
        headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in read["h"])
        return cls(read["s"], headers, base64.b64decode(read["b"]))

    def replay(self) -> Response:
        """The first answer again, marked as such (I02)."""
        response = Response(self.body, self.status)
        kept = {name for name, _ in self.headers}
        response.raw_headers = [
            *((name, value) for name, value in response.raw_headers if name not in kept and name != b"content-type"),
            *self.headers,
            (b"idempotent-replayed", b"true"),
        ]
        return response
