"""A file of rows: where it lies, how it is written, and its text, line by line, in bounded memory."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from freehold.errors import BadRequest

Format = Literal["csv", "jsonl"]
LONGEST_LINE = 1024 * 1024
"""Characters of one record, as of one request body."""
_GZIP = b"\x1f\x8b"
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class Unreadable(BadRequest):
    """The file as a whole cannot be read."""

    code, title = "import.unreadable", "The file cannot be read"


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import. encoding: without one a byte order mark tells it, and UTF-8 is taken otherwise.

    delimiter: of CSV; without one it is the commonest of `,` `;` tab and `|` in the first line.
    """

    path: Path
    format: Format
    encoding: str | None = None
    delimiter: str | None = None

    def digest(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @contextmanager
    def text(self) -> Iterator[io.TextIOWrapper]:
        """The text, unpacked where it is gzip. Bytes that are none of the encoding become lone surrogates."""
        with self.path.open("rb") as file:
            is_packed = file.peek(2)[:2] == _GZIP
            plain = cast("io.BufferedReader", gzip.GzipFile(fileobj=file)) if is_packed else file
            try:
                yield io.TextIOWrapper(plain, self.encoding or _marked(plain), errors="surrogateescape", newline="")
            except (EOFError, zlib.error, gzip.BadGzipFile):
                raise Unreadable("The gzip file is damaged, or cut off.") from None
            except UnicodeDecodeError as error:
                raise Unreadable(f"The file is not {error.encoding}: say its encoding.") from None

    def check(self) -> None:
        """Raise Unreadable for an encoding that there is not, or a delimiter of more than one character."""
        try:
            "x".encode(self.encoding or "utf-8")
        except LookupError:
            raise Unreadable(
                f"There is no encoding {self.encoding!r}: utf-8, latin-1, cp1252, utf-16 are some."
            ) from None
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise Unreadable("The delimiter is one character, and neither a quote nor a line end.")


def format_of(name: str) -> Format | None:
    """The format that a file name tells."""
    suffixes = [each for each in Path(name.lower()).suffixes if each != ".gz"]
    return {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}.get(suffixes[-1] if suffixes else "")  # type: ignore[return-value]


def _marked(file: io.BufferedReader) -> str:
    head = file.peek(4)
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "utf-8")


@dataclass(frozen=True, slots=True)
class Line:
    """One line, with its end. cut: it is longer than `LONGEST_LINE`, and this is its beginning."""

    number: int
    text: str
    cut: bool = False


def lines(text: io.TextIOWrapper) -> Iterator[Line]:
    """The lines of a text; of one that is too long the beginning alone."""
    number = 0
    while piece := text.readline(LONGEST_LINE):
        number += 1
        cut = len(piece) == LONGEST_LINE and piece[-1] not in "\r\n"
        rest = piece
        while cut and rest and rest[-1] not in "\r\n":
            rest = text.readline(LONGEST_LINE)
        yield Line(number, piece, cut)


def undecoded(text: str) -> bool:
    """Whether bytes in it could not be decoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
