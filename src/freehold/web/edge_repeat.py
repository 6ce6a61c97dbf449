"""A request whose fields came before, told from its bytes: of what a client sends, the request line and a body alone are new as a rule.

The parser has read the fields, and the edge has judged them, when they came for the first time. What it makes of a block of
lines depends on nothing else, so the same bytes behind a request line that is plain enough are the same request for another
target, and the digits of its length are those of the body behind it. Whatever is not as plain as that is the parser's.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_LONGEST: Final = 8 * 1024
# A path that has one spelling, so that nobody could take it for another one, and a query as the parser takes any.
_LINE: Final = re.compile(rb"(GET|POST|PATCH|DELETE) ((?:/[A-Za-z0-9_-]+)+)(?:\?([!-\"$-~]*))? HTTP/1\.1\r\n")
# One head, and nothing behind it: a line of a field cannot be empty, so the empty one is the last.
_BLOCK: Final = re.compile(rb"(?:[A-Za-z0-9-]+:[\t -~]*\r\n)+\r\n")
_LENGTH: Final = re.compile(rb"^[Cc]ontent-[Ll]ength: (0|[1-9][0-9]{0,3})\r\n", re.MULTILINE)
_END: Final = b"\r\n\r\n"
_BLANK: Final = b"\0"  # which nobody may send, or a length that is none would pass for one that is known
WITH_BODY: Final = frozenset({"POST", "PATCH"})


class Piece(NamedTuple):
    """One request. block: all between its request line and its body, with NUL for each digit of its length."""

    method: str
    path: bytes
    query: bytes
    block: bytes
    body: bytes = b""


def plain_piece(piece: bytes) -> Piece | None:
    """What a piece is that begins with a plain request line, and is one request if its block is that of one; None for any other."""
    found = _LINE.match(piece) if len(piece) <= _LONGEST and _BLANK not in piece else None
    if found is None:
        return None
    method, path, query = found[1].decode("ascii"), found[2], found[3] or b""
    if method not in WITH_BODY:
        return Piece(method, path, query, piece[found.end() :])
    end = piece.find(_END, found.end()) + len(_END)
    length = _LENGTH.search(piece, found.end(), end)
    if len(piece) - end != (0 if length is None else int(length[1])):
        return None
    if length is None:
        return Piece(method, path, query, piece[found.end() :])
    begin, behind = length.span(1)
    block = piece[found.end() : begin] + _BLANK * (behind - begin) + piece[behind:end]
    return Piece(method, path, query, block, piece[end:])


def whole_piece(piece: bytes | None) -> Piece | None:
    """The same of a piece that is one plain request from its first byte to its last, which no other block shows."""
    if piece is None or (found := plain_piece(piece)) is None:
        return None
    end = len(piece) - len(found.body)
    return found if _BLOCK.fullmatch(piece, end - len(found.block), end) else None
