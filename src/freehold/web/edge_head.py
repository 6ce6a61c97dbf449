"""The head of a whole answer, as the lines that `finished` comes to: of each kind of answer they are put together once.

What a server would have to look at for itself (a name or a value that is odd, how it is framed) is none of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from freehold.web.edge_headers import TOLD_BY_VALUE, RawHeaders, finished

_NAME: Final = re.compile(rb"[a-z0-9-]+")
_ODD: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
FRAMING: Final = frozenset({b"connection", b"transfer-encoding"})
"""Fields that say how an answer is framed, which is the server's matter."""
_LENGTH: Final = b"content-length"
_BODILESS: Final = frozenset({204, 304})
_MOST_KNOWN: Final = 1_000


class _Lines:
    """text: with a place for each value that may change. places: of those among the given fields. length: of Content-Length."""

    __slots__ = ("length", "places", "text")

    def __init__(self, text: bytes, places: tuple[int, ...], length: int | None) -> None:
        self.text = text
        self.places = places
        self.length = length


_known: dict[tuple[object, ...], _Lines | None] = {}


def head_of(
    given: RawHeaders,
    beside: RawHeaders,
    *,
    status: int,
    has_credentials: bool,
    is_https: bool,
    request_id: bytes,
    size: int,
) -> bytes | None:
    """Every line of `finished`, and of `beside` as it is. size: of the body. None for what a server has to look at."""
    kind: list[object] = [status, has_credentials, is_https]
    for pair in given:
        kind.append(pair if pair[0] in TOLD_BY_VALUE else pair[0])  # noqa: PERF401 (a comprehension is a call)
    kind.append(None)
    for pair in beside:
        kind.append(pair[0])  # noqa: PERF401
    key = tuple(kind)
    lines = _known.get(key)
    if lines is None and key not in _known:
        lines = _lines(given, beside, status=status, has_credentials=has_credentials, is_https=is_https)
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[key] = lines
    if lines is None:
        return None
    if size if lines.length is None else given[lines.length][1] != b"%d" % size:
        return None
    values: list[bytes] = []
    for place in lines.places:
        values.append(given[place][1])  # noqa: PERF401
    values.append(request_id)
    for _, value in beside:
        values.append(value)
    return None if _ODD.search(b"".join(values)) else lines.text % tuple(values)


def _lines(
    given: RawHeaders, beside: RawHeaders, *, status: int, has_credentials: bool, is_https: bool
) -> _Lines | None:
    """None where any such answer is one that a server has to look at."""
    marked = [(name, value if name in TOLD_BY_VALUE else b"\0%d" % place) for place, (name, value) in enumerate(given)]
    whole = finished(marked, status=status, has_credentials=has_credentials, is_https=is_https, request_id=b"\0")
    length = [place for place, (name, _) in enumerate(given) if name == _LENGTH]
    if len(length) > 1 or (not length and status not in _BODILESS) or not _is_plain([*given, *beside]):
        return None
    text = b"".join(b"%b: %b\r\n" % (name, _escaped(value)) for name, value in whole)
    text += b"".join(b"%b: %%b\r\n" % name for name, _ in beside)
    places = tuple(int(value[1:]) for _, value in whole if value[:1] == b"\0" and value != b"\0")
    return _Lines(text, places, length[0] if length else None)


def _escaped(value: bytes) -> bytes:
    return b"%b" if value[:1] == b"\0" else value.replace(b"%", b"%%")


def _is_plain(fields: Sequence[tuple[bytes, bytes]]) -> bool:
    return all(
        _NAME.fullmatch(name) and name not in FRAMING
        and not (name in TOLD_BY_VALUE and _ODD.search(value))
        for name, value in fields
    )  # fmt: skip
