"""A request whose fields came before, told from its bytes: of what a client sends, the request line alone is new as a rule.

The parser has read the fields, and the edge has judged them, when they came for the first time. What it makes of a block of
lines depends on nothing else, so the same bytes behind a request line that is plain enough are the same request for another
target. Whatever is not as plain as that is the parser's.
"""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 8 * 1024
# A path that has one spelling, so that nobody could take it for another one, and a query as the parser takes any.
_LINE: Final = re.compile(rb"GET ((?:/[A-Za-z0-9_-]+)+)(?:\?([!-\"$-~]*))? HTTP/1\.1\r\n")
# One head, and nothing behind it: a line of a field cannot be empty, so the empty one is the last.
_BLOCK: Final = re.compile(rb"(?:[A-Za-z0-9-]+:[\t -~]*\r\n)+\r\n")

Line = tuple[bytes, bytes, bytes]
"""Path, query, and the bytes of all that stands behind the request line."""


def line_of(piece: bytes) -> Line | None:
    """What a piece asks for, where it begins with a plain request line; None where it is for the parser to say."""
    if len(piece) > _LONGEST:
        return None
    found = _LINE.match(piece)
    return None if found is None else (found[1], found[2] or b"", piece[found.end() :])


def block_of(piece: bytes | None) -> bytes | None:
    """The fields of a piece that is one plain request from its first byte to its last; None for any other one."""
    line = None if piece is None else line_of(piece)
    return None if line is None or _BLOCK.fullmatch(line[2]) is None else line[2]
