"""uvicorn's HTTP parser with the refusals that only the server can make.

An ASGI application sees a request when its head is complete. What happens before that is judged here: heads without an
end (in bytes and in time), targets that name another host than the Host header, versions that httptools takes for
1.x and is not, and the parser's own errors, which become problem documents.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState as UvicornState

from freehold.errors import BadRequest, HeadersTooLarge, Problem, UriTooLong
from freehold.web.edge_cycle import Cycle
from freehold.web.edge_linger import LingeringTransport
from freehold.web.edge_load import ARRIVED, Load, is_probe
from freehold.web.edge_reader import Reader
from freehold.web.edge_refusal import is_last, last_answer, plain_path, refusal
from freehold.web.edge_unparsed import cycle_of

HEAD_LIMIT_BYTES = 48 * 1024
"""A head that goes on past this is cut while it comes; the exact limits are the edge's."""
LINE_LIMIT_BYTES = 16 * 1024
PATIENCE_SECONDS = 15.0
"""A connection that has not ended its head by then is closed; so is one whose body goes on after the answer."""
KEEP_ALIVE_SECONDS = 10
"""A connection without a request is closed after that."""


class ServerState(UvicornState):
    """What the connections of a server share: whether it is about to leave."""

    is_leaving = False

    def take_leave(self) -> None:
        """From now on each answer is the last one of its connection, those that are being made too."""
        if self.is_leaving:
            return
        self.is_leaving = True
        for connection in self.connections:
            if isinstance(connection, StrictProtocol):
                connection.take_leave()


class StrictProtocol(HttpToolsProtocol):
    """For `uvicorn.Config(http=StrictProtocol)`."""

    # uvicorn declares both without None, and sets them to None.
    parser: Any
    cycle: Any

    # From a module of its own. Who is called by a server need not import uvicorn, which is not there for another one.
    cycle_of = cycle_of
    piece: bytes | None = None
    """What the parser is being given, where it began on a connection on which nothing else was under way."""

    _edge: Any = None
    _refusal: Problem | None = None
    _timer: asyncio.TimerHandle | None = None
    _reader: Reader | None = None
    _refused = False
    _is_taken = False
    _is_waiting = False
    _waits_since = 0.0
    _last_answer: bytes | None = None
    _in_head = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        lingering = LingeringTransport(transport, self.loop, self._is_unread, self._wait_for_reader)
        super().connection_made(cast("asyncio.Transport", lingering))
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        if self._reader is not None:
            self._reader.stop()
        super()._unset_keepalive_if_required()  # uvicorn does not after an error, and the timer holds the connection
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_reader()

    def _wait_for_reader(self) -> None:
        if self._reader is None:
            self._reader = Reader(self.transport, self.loop, self._cut_off)
        self._reader.waits()

    def _cut_off(self) -> None:
        """End the connection without what is still to be sent: the kernel would hold megabytes of it for hours."""
        connection = self.transport.get_extra_info("socket")
        # A WebSocket may have been closed since, by its own protocol.
        if connection is not None and connection.fileno() >= 0:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reader is not None:
            self._reader.took()

    def data_received(self, data: bytes) -> None:
        edge = self._edge = self._edge or getattr(self.app, "edge", None)
        if self.parser is None or self.transport.is_closing():
            return
        is_alone = self._is_idle()
        if is_alone and edge is not None:
            if edge.load.is_full and self._is_refused(edge.load, data):
                return
            if edge.direct is not None and edge.direct.repeats(self, data):
                return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_LIMIT_BYTES:
                self._refusal = UriTooLong() if not self.headers and not self.url else HeadersTooLarge()
                self.send_400_response("")
                return
        self.piece = data if is_alone else None
        super().data_received(data)
        self.piece = None
        if self._in_head or self._has_only_line_ends():
            self._start_timer()  # a head that comes in one piece needs none

    def _is_refused(self, load: Load, data: bytes) -> bool:
        """Refuse a request at once that the process has no room for, where it can be refused unparsed; the edge refuses the rest."""
        path = plain_path(data)
        if path is None or is_probe(path.decode()):
            return False
        self.transport.write(refusal(load, self.server_state.default_headers, is_https=self.scheme == "https"))
        if is_last(data):
            self.transport.close()
            return True
        self._stop_timer()
        self._wait_for_next()
        return True

    def begins(self, cycle: Cycle) -> None:
        """A request has come whole that the parser has not seen."""
        self.cycle = cycle
        self._is_waiting = False
        if self._timer is not None:
            self._stop_timer()

    def _is_idle(self) -> bool:
        """Whether what comes now begins a request, whose answer could be written at once."""
        is_leaving = getattr(self.server_state, "is_leaving", False)
        return self._is_done() and not self._in_head and not self.flow.write_paused and not is_leaving

    def _is_done(self) -> bool:
        """Whether every request so far has come whole, and has its answer."""
        return self.cycle is None or (self.cycle.response_complete and not self.cycle.more_body)

    def _has_only_line_ends(self) -> bool:
        """Whether what came has begun nothing, neither a head nor a WebSocket, which is no connection of ours any more."""
        return self._is_done() and self in self.connections

    def _wait_for_next(self) -> None:
        """Keep the connection for its next request. It has one timer, which is not set anew for each: what it compares with is."""
        self._is_waiting, self._waits_since = True, self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait(self.timeout_keep_alive)

    def _wait(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        """Something comes: the timer finds nobody waiting."""
        self._is_waiting = False

    def timeout_keep_alive_handler(self) -> None:
        """Close it if it has been waiting for so long. Where it is not waiting, the next answer sets the timer again."""
        self.timeout_keep_alive_task = None
        if not self._is_waiting:
            return
        left = self._waits_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._wait(left)
        else:
            super().timeout_keep_alive_handler()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes, self._in_head = 0, True

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > LINE_LIMIT_BYTES:
            self._refuse(UriTooLong())

    def on_headers_complete(self) -> None:
        self._end_head()
        version = self.parser.get_http_version()
        if version != "1.1":
            self._check_version(version)
        if not self.url.startswith((b"/", b"*")):
            self._check_authority()
        super().on_headers_complete()
        edge = self._edge
        if edge is not None and not self.pipeline and not self._is_taken:
            # Behind another it waits for that answer, not for the loop.
            self.scope["state"][ARRIVED] = edge.load.arrives(self.loop)
        if getattr(self.server_state, "is_leaving", False):
            self.take_leave()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.__class__ = Cycle  # uvicorn makes it where it reads the head, and it has done nothing yet
        edge = self._edge if app is self.app else None  # none of what answers where uvicorn itself has no room
        self._is_taken = edge is not None and edge.direct is not None and edge.direct.takes(self, cycle, app)
        if not self._is_taken:
            self.start(cycle, app)

    def start(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Have an application answer, in a task."""
        super()._start_asgi_task(cycle, app)

    def take_leave(self) -> None:
        """Let the request that is being answered be the last one."""
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def _check_version(self, version: str) -> None:
        if version != "1.0":
            self._refuse(BadRequest("Speak HTTP/1.1."))
        if any(name == b"transfer-encoding" for name, _ in self.headers):
            self._refuse(BadRequest("HTTP/1.0 has no Transfer-Encoding."))

    def _check_authority(self) -> None:
        """An absolute target counts above the Host header (RFC 9112 3.2.2); the application sees only the latter."""
        parsed = httptools.parse_url(self.url)
        named = (parsed.host or b"") + (b":%d" % parsed.port if parsed.port else b"")
        hosts = [value for name, value in self.headers if name == b"host"]
        if [named.lower()] != [host.lower() for host in hosts]:
            self._refuse(BadRequest("The target and the Host header differ."))

    def _refuse(self, problem: Problem) -> None:
        """Stop the parser; its error brings us to `send_400_response`."""
        self._refusal = problem
        raise ValueError(problem.title)

    def send_400_response(self, msg: str) -> None:
        """The parser gave up: a problem document, and the connection is closed. What was sent after it is not read.

        Requests that came whole before it are answered first, in order; the one that broke off in its body gets this
        answer alone, and its application sees a client that went away.
        """
        self._end_head()
        self._refused = True
        self.parser = None
        broken = self.cycle if self.cycle is not None and self.cycle.more_body else None
        if broken is not None and broken.response_started:
            self.transport.close()  # it has its answer, or half of it: a second one must not be mixed into it
            return
        problem = self._refusal or BadRequest("The request is not well-formed HTTP.")
        self.logger.warning("Malformed request refused: %s", problem.problem_code)
        self._last_answer = last_answer(problem, is_https=self.scheme == "https")
        is_waiting = self._abandon(broken) if broken is not None else self._is_answering()
        if not is_waiting:
            self._end_with_refusal()

    def _abandon(self, broken: Any) -> bool:
        """Let nothing come of a request whose body is malformed; whether an earlier one is still being answered."""
        queued = [entry for entry in self.pipeline if entry[0] is broken]
        for entry in queued:
            self.pipeline.remove(entry)
        broken.disconnected = True
        broken.message_event.set()
        return bool(queued)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _end_with_refusal(self) -> None:
        answer, self._last_answer = self._last_answer, None
        if answer is not None and not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()

    def on_message_complete(self) -> None:
        self._stop_timer()
        super().on_message_complete()
        if self.cycle is not None:
            self.cycle.more_body = False  # uvicorn leaves it where the answer came before the end of the body

    def on_response_complete(self) -> None:
        """The answer is out. A body that goes on trickling in may not hold the connection."""
        is_last = not self.pipeline
        if is_last and not self.transport.is_closing():
            self.server_state.total_requests += 1  # as uvicorn does, but for the timer
            if self.flow.read_paused:
                self.flow.resume_reading()
            self._wait_for_next()
        else:
            super().on_response_complete()
        if is_last and self._last_answer is not None:
            self._end_with_refusal()
            return
        if self.cycle.more_body and not self.transport.is_closing():
            self._start_timer()

    def _is_unread(self) -> bool:
        """Whether the client may still be sending: in the middle of a body, or of what was refused."""
        return self._refused or (self.cycle is not None and self.cycle.more_body)

    def _end_head(self) -> None:
        self._in_head = False
        self._stop_timer()

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(PATIENCE_SECONDS, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()


def protocol_options() -> dict[str, Any]:
    """The part of `uvicorn.Config` that goes with this protocol and the edge."""
    return {
        "http": StrictProtocol,
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "log_config": None,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": 30,
        "reset_contextvars": True,
    }
