"""Signed places in a list.

A cursor says where a page ended, not what the caller may see: the access rule is applied again on every page. It is
bound to the caller, the resource, the filters and the order, and carries nothing but values of a row that the caller
was shown.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, NoReturn
from uuid import UUID

import orjson

from freehold.base64url import base64url
from freehold.errors import BadRequest
from freehold.query.fields import Kind
from freehold.resource.principal import Principal

_MAC_BYTES: Final = 16
_MOST_KEPT: Final = 1_000
_compact: Final = json.JSONEncoder(separators=(",", ":")).encode
MAX_CURSOR_CHARACTERS: Final = 8_192
Direction = Literal["after", "before"]


class Position(NamedTuple):
    """A place between rows. values: the sort values of the row beside it; none stands for the end of the list."""

    direction: Direction
    values: tuple[Any, ...] = ()


START: Final = Position("after")
"""Where a list begins."""
END: Final = Position("before")
"""Behind the last row."""


class Cursors:
    """Makes and reads cursors. key: at least 16 secret bytes, the same in every process of a service."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("a cursor key has at least 16 bytes")
        self._key = hashlib.sha256(b"freehold cursor\0" + key).digest()
        self._begun = lru_cache(maxsize=_MOST_KEPT)(self._begin)

    def seal(self, position: Position, *, resource: str, principal: Principal, digest: str) -> str:
        """The text of a cursor, safe in an address."""
        payload = _written(position)
        return base64url(self._mac(payload, resource, principal, digest) + payload)

    def open(self, text: str, *, resource: str, principal: Principal, digest: str, kinds: Sequence[Kind]) -> Position:
        """The place behind a cursor. kinds: those of the sort columns.

        Raises BadRequest `query.bad_cursor` for one that was altered, or made for another caller or another question.
        """
        raw = _decode(text)
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload, resource, principal, digest)):
            _refuse()
        direction, *values = _read(payload)
        if values and len(values) != len(kinds):
            _refuse()
        return Position("after" if direction == "a" else "before", tuple(map(_from_json, kinds, values)))

    def _mac(self, payload: bytes, resource: str, principal: Principal, digest: str) -> bytes:
        mac = self._begun(resource, principal.id, principal.reason, digest).copy()
        mac.update(payload)
        return mac.digest()

    def _begin(self, resource: str, caller: UUID | None, reason: str | None, digest: str) -> hashlib.blake2b:
        """The MAC of what a cursor is bound to, before its payload."""
        # Keyed BLAKE2 is a MAC by itself (RFC 7693 2.9), and OpenSSL's HMAC lets go of the interpreter, however short the text.
        bound = json.dumps([resource, [str(caller) if caller else None, reason], digest]).encode() + b"\0"
        return hashlib.blake2b(bound, key=self._key, digest_size=_MAC_BYTES)


def _refuse() -> NoReturn:
    raise BadRequest("This cursor belongs to no page of this list: start from the first page.", code="query.bad_cursor")


def _decode(text: str) -> bytes:
    if len(text) > MAX_CURSOR_CHARACTERS or not text.isascii():
        _refuse()
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        _refuse()
    # The last character has spare bits: one cursor has one spelling.
    if base64url(raw) != text:
        _refuse()
    return raw


def _written(position: Position) -> bytes:
    """JSON; numbers by the standard library, which knows those that are none."""
    values = [position.direction[0], *map(_to_json, position.values)]
    return orjson.dumps(values) if {*map(type, values)} == {str} else _compact(values).encode()


def _read(payload: bytes) -> Any:
    """What `_written` wrote. orjson refuses numbers that are none."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return json.loads(payload)


def _to_json(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


_READ: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.UUID: UUID,
    Kind.DECIMAL: Decimal,
    Kind.DATE: date.fromisoformat,
    Kind.INSTANT: datetime.fromisoformat,
    Kind.NAIVE_INSTANT: datetime.fromisoformat,
    Kind.FLOAT: float,
}


def _from_json(kind: Kind, value: Any) -> Any:
    return value if value is None or kind not in _READ else _READ[kind](value)
