"""What is refused before anything looks at it: sizes, framing, spellings of a path."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from freehold.errors import (
    BadRequest,
    FieldError,
    HeadersTooLarge,
    NotFound,
    TooLarge,
    UnsupportedMediaType,
    UriTooLong,
)
from freehold.web.edge_fields import Fields
from freehold.web.edge_options import EdgeOptions

# Spellings of a path that mean another one to some proxy or library: empty, dot and parameter segments, backslashes,
# encoded slashes, dots, semicolons, controls; broken percent signs; anything that is not visible ASCII.
_ODD_PATH = re.compile(
    rb"//|/\.{1,2}(?:/|$)|[;\\]|%(?:[01][0-9A-Fa-f]|2[eEfF]|3[bB]|5[cC]|7[fF])|%(?![0-9A-Fa-f]{2})|[^\x21-\x7e]"
)
# Paths of nothing but these can be odd by an empty segment or by their end alone.
_PLAIN = bytes(sorted(b"/-_" + bytes(range(48, 58)) + bytes(range(65, 91)) + bytes(range(97, 123))))
_ODD_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ufffd\u2028\u2029]")
_DIGITS = re.compile(rb"[0-9]{1,18}")
_REFUSED_NAME = "access_token"
_SHOWN_CHARACTERS = 100
_LONGEST_KEPT = 300
_REST_OF_LINE = len(" ? HTTP/1.1\r\n")
CLOSE = {"Connection": "close"}


def check_sizes(scope: Scope, fields: Fields, options: EdgeOptions) -> None:
    """414 for a long request line, 431 for a large header block. The connection is closed: the rest is not read."""
    line = len(raw_path(scope)) + len(scope.get("query_string", b"")) + len(scope["method"])
    if line + _REST_OF_LINE > options.line_limit_bytes:
        raise UriTooLong(headers=CLOSE)
    if fields.size_bytes > options.header_limit_bytes or fields.count > options.header_limit_count:
        raise HeadersTooLarge(headers=CLOSE)


def check_framing(fields: Fields, options: EdgeOptions) -> None:
    """One length or one chunked body, no encoding of the content, no body over the limit."""
    length = fields.values.get(b"content-length")
    if length is not None:
        if b"content-length" in fields.repeated or fields.values.get(b"transfer-encoding") is not None:
            raise BadRequest("Send one Content-Length, or Transfer-Encoding, not both.", headers=CLOSE)
        if _DIGITS.fullmatch(length) is None:
            raise BadRequest("Content-Length is malformed.", headers=CLOSE)
        if int(length) > options.body_limit_bytes:
            raise too_large(options.body_limit_bytes)
    encoding = fields.values.get(b"transfer-encoding")
    if encoding is not None and encoding.strip().lower() != b"chunked":
        raise BadRequest("The only Transfer-Encoding here is chunked.", headers=CLOSE)
    coding = fields.values.get(b"content-encoding")
    if coding is not None and coding.strip().lower() not in (b"", b"identity"):
        raise UnsupportedMediaType(
            "Send the body without Content-Encoding.", headers={"Accept-Encoding": "identity", **CLOSE}
        )


def check_credentials(fields: Fields) -> None:
    """Credentials come in one Authorization header."""
    if b"authorization" in fields.repeated:
        raise BadRequest("Send one Authorization header.")


def raw_path(scope: Scope) -> bytes:
    """The path as it was sent; where the server does not give it, as near to that as can be told."""
    raw: bytes | None = scope.get("raw_path")
    return raw if raw is not None else scope["path"].encode("utf-8", "replace").replace(b"%", b"%25")


def check_path(scope: Scope) -> None:
    """One spelling for each path: another one is 404. One trailing slash is taken off: it means the same resource."""
    raw, path = raw_path(scope), scope["path"]
    if not raw.translate(None, _PLAIN) and b"//" not in raw and path.startswith("/") and not path.endswith("/"):
        return
    if _ODD_PATH.search(raw) is not None or not path.startswith("/"):
        raise NotFound
    if b"%" in raw:
        if _decoded(raw) is None:
            raise _not_utf8("path")
        if _ODD_TEXT.search(path) is not None:
            raise NotFound
    if len(path) > 1 and path.endswith("/"):
        scope["path"] = path[:-1]
        scope["raw_path"] = raw[:-1] if raw.endswith(b"/") else raw


def check_query(scope: Scope) -> None:
    """400 for bytes that are no UTF-8: what decodes them puts U+FFFD in their place, and nothing here is repaired.

    And for a token, which would stand in logs and histories with the address.
    """
    query: bytes = scope.get("query_string", b"")
    if not query or (_is_known_as_harmless(query) if len(query) <= _LONGEST_KEPT else _is_harmless(query)):
        return
    for part in query.split(b"&"):
        name = unquote_to_bytes(part.partition(b"=")[0].replace(b"+", b" ")).decode("utf-8", "replace")
        if _decoded(part) is None:
            raise _not_utf8(name[:_SHOWN_CHARACTERS])
        if name.lower() == _REFUSED_NAME:
            raise BadRequest("Send the token in the Authorization header, not in the query.")


def _is_harmless(query: bytes) -> bool:
    text = _decoded(query)
    return text is not None and _REFUSED_NAME not in text.lower()


# Bounded in bytes too: what is longer than is kept is looked at each time.
_is_known_as_harmless = lru_cache(maxsize=1_000)(_is_harmless)


def _decoded(encoded: bytes) -> str | None:
    """Percent-encoded text; None when it is not ASCII that stands for UTF-8 (overlong forms and surrogates are none)."""
    if not encoded.isascii():
        return None
    if b"%" not in encoded:
        return encoded.decode("ascii")
    try:
        return unquote_to_bytes(encoded).decode("utf-8")
    except UnicodeDecodeError:
        return None


def _not_utf8(place: str) -> BadRequest:
    fault = FieldError("request.not_utf8", "Send UTF-8, percent-encoded.", parameter=place)
    return BadRequest("The address holds bytes that are not UTF-8.", errors=[fault])


def too_large(limit_bytes: int) -> TooLarge:
    """413 that closes the connection, so that the rest of the body is not read."""
    return TooLarge(f"The limit is {limit_bytes} bytes.", headers=CLOSE)


class BodyTooLarge(HTTPException):
    """Raised out of `receive`. An HTTPException, because FastAPI turns any other one into a 400."""

    def __init__(self) -> None:
        super().__init__(status_code=413)


class BodyLimit:
    """Counts a body of unknown length as it comes and stops it at the limit, so that memory stays flat."""

    __slots__ = ("_left", "_receive", "limit_bytes", "passed")

    def __init__(self, receive: Receive, limit_bytes: int) -> None:
        self._receive = receive
        self._left = self.limit_bytes = limit_bytes
        self.passed = False

    async def __call__(self) -> Message:
        if self.passed:
            raise BodyTooLarge
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.passed = True
                raise BodyTooLarge
        return message
