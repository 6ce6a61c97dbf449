"""uvicorn's side of one exchange, which writes the head of an answer from lines that it has written before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

from freehold.web.edge_head import FRAMING

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

# Fields whose values are few. Whatever else there is, is looked at each time.
_SETTLED: Final = frozenset(
    {
        b"cache-control", b"content-security-policy", b"content-type", b"ratelimit-policy", b"referrer-policy",
        b"strict-transport-security", b"vary", b"x-content-type-options",
    }
)  # fmt: skip
_MOST_KEPT: Final = 1_000
_lines: dict[tuple[bytes, bytes], bytes] = {}
# A body that is longer is not copied to stand behind its head.
_COPIED_BYTES: Final = 64 * 1024


class _Opened:
    """The lines that every answer of a server begins with, which it makes anew each second."""

    fields: Any = None
    lines: bytes | None = b""


class Cycle(RequestResponseCycle):
    """What uvicorn finds wrong with a field it finds here: its own expressions are asked, once for what is settled."""

    def write_whole(self, status: int, head: bytes, body: bytes) -> bool:
        """Write an answer of known length in one piece; False, and nothing is written, where something is in the way.

        head: its lines, checked, the length among them. Not for HEAD.
        """
        opening = _opening(self.default_headers) if self._is_plain() else None
        if opening is None:
            return False
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = self.chunked_encoding = False
        if len(body) > _COPIED_BYTES:
            self.transport.write(b"".join((STATUS_LINE[status], opening, head, b"\r\n")))
            self.transport.write(body)
        else:
            self.transport.write(b"".join((STATUS_LINE[status], opening, head, b"\r\n", body)))
        self.message_event.set()
        self.on_response()
        return True

    async def send(self, message: ASGISendEvent) -> None:
        """The head of a plain answer of known length; anything else is uvicorn's."""
        if message["type"] == "http.response.start" and self._is_plain():
            head = self._head(message["status"], message.get("headers", ()))
            if head is not None:
                self.response_started = True
                self.waiting_for_100_continue = self.chunked_encoding = False
                self.transport.write(head)
                return
        await super().send(message)

    def _is_plain(self) -> bool:
        is_in_the_way = self.response_started or self.disconnected or self.flow.write_paused or self.access_log
        return self.keep_alive and self.chunked_encoding is None and not is_in_the_way

    def _head(self, status: int, headers: Any) -> bytes | None:
        """None for what says how it is framed, and for what uvicorn refuses."""
        parts, length = [STATUS_LINE[status]], None
        for field in (*self.default_headers, *headers):
            line = _lines.get(field) if type(field) is tuple else None
            if line is None:
                name, value = field
                if name == b"content-length":
                    length = value
                line = _line(name, value)
                if line is None:
                    return None
            parts.append(line)
        if length is None:
            return None
        self.expected_content_length = int(length)
        parts.append(b"\r\n")
        return b"".join(parts)


def _line(name: bytes, value: bytes) -> bytes | None:
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value) or name != name.lower() or name in FRAMING:
        return None
    line = b"%b: %b\r\n" % (name, value)
    if name in _SETTLED and type(name) is type(value) is bytes:
        if len(_lines) >= _MOST_KEPT:
            _lines.clear()
        _lines[name, value] = line
    return line


def _opening(fields: Any) -> bytes | None:
    """What the server itself puts into every answer; None where any of it has to be looked at each time."""
    if fields is not _Opened.fields:
        lines = [_line(name, value) for name, value in fields]
        _Opened.fields, _Opened.lines = fields, None if None in lines else b"".join(filter(None, lines))
    return _Opened.lines
