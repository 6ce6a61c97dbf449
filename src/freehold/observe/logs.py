"""Logs: console lines in development, one JSON object a line in production.

`configure` makes structlog and the standard library's `logging` write through the same cleaning steps, so that a library
that logs by itself cannot leak either. `access_line` is the short cut for the one line that every request writes.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO, Any, Literal

import orjson
import structlog

from freehold.observe.context import CURRENT
from freehold.observe.redaction import HIDDEN, clean, is_secret_name, neutral, scrub
from freehold.observe.sink import LogSink

LogFormat = Literal["console", "json"]
Event = MutableMapping[str, Any]

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_OWN_FIELDS = ("timestamp", "level", "logger", "event", "request_id", "trace_id", "exception")
_MAX_TRACEBACK = 16_000


def _instant() -> str:
    return _millisecond(time.time_ns() // 1_000_000)


@lru_cache(maxsize=2)
def _millisecond(since_epoch: int) -> str:
    return f"{_second(since_epoch // 1000)}.{since_epoch % 1000:03}Z"


@lru_cache(maxsize=2)
def _second(since_epoch: int) -> str:
    return datetime.fromtimestamp(since_epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _traceback_of(exc_info: Any) -> str | None:
    """The traceback without local values, cleaned, its own line ends kept. The end is what matters: it is not cut."""
    if exc_info is True:
        exc_info = sys.exc_info()
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if not isinstance(error, BaseException):
        return None
    text = "".join(traceback.format_exception(error))[-_MAX_TRACEBACK:].rstrip()
    return "\n".join(neutral(line) for line in scrub(text, limit=_MAX_TRACEBACK).split("\n"))


def finish(event: Event) -> dict[str, Any]:
    """The fields of a line in their order: stamped, tied to the request, cleaned."""
    trace = CURRENT.get()
    line: dict[str, Any] = {
        "timestamp": event.pop("timestamp", None) or _instant(),
        "level": event.pop("level", "info"),
        "logger": event.pop("source", "freehold"),
        "event": clean(event.pop("event", "")),
    }
    if trace is not None:
        line["request_id"], line["trace_id"] = trace.request_id, trace.trace_id
    exception = _traceback_of(event.pop("exc_info", None))
    for name, value in event.items():
        line.setdefault(neutral(name), HIDDEN if is_secret_name(name) else clean(value))
    if exception is not None:
        line["exception"] = exception
    return line


def as_json(line: dict[str, Any]) -> str:
    """One JSON object on one line."""
    return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def as_console(line: dict[str, Any]) -> str:
    """One line for a person; a traceback follows, indented, so that no text in it can pose as a line of its own."""
    rest = " ".join(f"{name}={value}" for name, value in line.items() if name not in _OWN_FIELDS)
    request = f" [{line['request_id'][:8]}]" if line.get("request_id") else ""
    head = f"{line['timestamp'][11:23]} {line['level']:<8} {line['event']}{request} {rest}".rstrip()
    if "exception" not in line:
        return head
    return "\n".join([head, *(f"  | {part}" for part in line["exception"].split("\n"))])


class _State:
    """What `configure` last set: one per process, as structlog's and logging's own configuration are."""

    sink = LogSink()
    render: Callable[[dict[str, Any]], str] = staticmethod(as_console)
    threshold = 20
    is_configured = False


class _Lines:
    """The logger that structlog writes to: takes the finished line."""

    def msg(self, line: str) -> None:
        _State.sink.write(line)

    debug = info = warning = error = critical = exception = log = msg


class _Bridge(logging.Handler):
    """Takes records of the standard library's `logging` through the same steps."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = {"event": record.getMessage(), "level": record.levelname.lower(), "source": record.name}
            _State.sink.write(_State.render(finish({**event, "exc_info": record.exc_info})))
        except Exception:  # noqa: BLE001  # a log call never fails its caller
            _State.sink.dropped += 1


def _render(_logger: Any, method: str, event: Event) -> str:
    level = {"exception": "error", "msg": "info", "warn": "warning"}.get(method, method)
    if not _State.is_configured:
        _forward(level, event)
        raise structlog.DropEvent
    if _LEVELS.get(level, 20) < _State.threshold:
        raise structlog.DropEvent
    event.setdefault("level", level)
    return _State.render(finish(event))


def _forward(level: str, event: Event) -> None:
    """Nobody called `configure`: an application with logs of its own gets ours through the standard library."""
    name, error = event.pop("source", "freehold"), event.pop("exc_info", None)
    text = " ".join([str(clean(event.pop("event", ""))), *(f"{k}={v}" for k, v in clean(dict(event)).items())])
    logging.getLogger(name).log(_LEVELS.get(level, 20), "%s", text, exc_info=error)


def configure(*, style: LogFormat = "console", level: str = "info", stream: IO[str] | None = None) -> LogSink:
    """Set up the logs of this process and return where they go. stream: standard error unless given.

    Raises ValueError for an unknown level. May be called again; the last call counts.
    """
    if level.lower() not in _LEVELS:
        raise ValueError(f"log level {level!r} is not one of {', '.join(_LEVELS)}")
    _State.sink.flush()
    _State.threshold, _State.is_configured = _LEVELS[level.lower()], True
    _State.sink, _State.render = LogSink(stream), as_json if style == "json" else as_console
    structlog.configure(
        processors=[_render],
        wrapper_class=structlog.make_filtering_bound_logger(_State.threshold),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    _remove_bridge(root)
    root.addHandler(_Bridge())
    root.setLevel(_State.threshold)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    # The edge writes the access line. With a handler anywhere above, uvicorn would put one together for each request.
    access = logging.getLogger("uvicorn.access")
    access.disabled, access.propagate = True, False
    # The first ones log whole addresses, and parameters of SQL; pyvips the life of its threads.
    for name in ("httpx2", "httpcore2", "aiosqlite", "asyncpg", "pyvips"):
        logging.getLogger(name).setLevel(max(_State.threshold, 30))
    return _State.sink


def flush() -> None:
    """Write what waits for the writer's thread, now."""
    _State.sink.flush()


def reset() -> None:
    """Undo `configure`: lines go through the standard library again, as in an application with logs of its own."""
    if not _State.is_configured:
        return
    _State.sink.close()
    _State.sink, _State.threshold, _State.is_configured = LogSink(), _LEVELS["info"], False
    structlog.reset_defaults()
    root = logging.getLogger()
    _remove_bridge(root)
    root.setLevel(logging.WARNING)


def _remove_bridge(root: logging.Logger) -> None:
    for handler in [handler for handler in root.handlers if isinstance(handler, _Bridge)]:
        root.removeHandler(handler)


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger of this name. Give facts as keywords: `log.info("job done", job=name, seconds=1.2)`."""
    kind = structlog.make_filtering_bound_logger(0)
    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        _Lines(), processors=[_render], wrapper_class=kind, source=name
    )
    return logger


def access_line(method: str, route: str, status: int, seconds: float, *, client: str, problem: str | None) -> None:
    """Write the line of one request, which took so many seconds.

    Every value but `client` and `method` is ours, and those two were checked by the edge, so nothing is scrubbed here.
    """
    if _State.threshold > 20 or not _State.is_configured:
        return
    trace = CURRENT.get()
    if _State.render is as_json and trace is not None and problem is None:
        # The ids are plain, whoever gave them.
        _State.sink.write(
            f'{{"timestamp":"{_instant()}","level":"info","logger":"freehold.access","event":"request","request_id":"'
            f'{trace.request_id}","trace_id":"{trace.trace_id}",{_facts(method, route, status, client)},"milliseconds":'
            f"{seconds * 1000:.2f}}}"
        )
        return
    line: dict[str, Any] = {"timestamp": _instant(), "level": "info", "logger": "freehold.access", "event": "request"}
    if trace is not None:
        line["request_id"], line["trace_id"] = trace.request_id, trace.trace_id
    line |= {
        "method": method,
        "route": route,
        "status": status,
        "client": client,
        "milliseconds": round(seconds * 1000, 2),
    }
    if problem is not None:
        line["problem"] = problem
    _State.sink.write(_State.render(line))


@lru_cache(maxsize=4_096)
def _facts(method: str, route: str, status: int, client: str) -> str:
    """The middle of a line, as JSON without its braces: of few kinds, and the same from request to request."""
    return as_json({"method": method, "route": route, "status": status, "client": client})[1:-1]
