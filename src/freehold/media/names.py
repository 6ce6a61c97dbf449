"""File names that clients send: shown again, written into a header, and used for nothing else."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

LONGEST = 150

# Controls, and marks that turn the reading direction around ("photo\u202egpj.exe").
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_NOT_ALLOWED = re.compile(r'[<>:"|?*]')


def display_name(given: str | None, *, extension: str) -> str:
    """The name under which a file is offered again: one segment, visible, of a length that every system takes.

    extension: put on where the name has none.
    """
    segment = re.split(r"[/\\]", given or "")[-1]
    visible = "".join(
        c for c in unicodedata.normalize("NFC", segment) if unicodedata.category(c) not in _HIDDEN_CATEGORIES
    )
    stem, own = _split(_NOT_ALLOWED.sub("_", visible).strip(" ."))
    own = own or extension
    stem = stem[: LONGEST - len(own) - 1].strip(" .") or "file"
    if _DEVICES.fullmatch(stem):
        stem = f"_{stem}"
    return f"{stem}.{own}"


def extension_of(given: str | None) -> str:
    """What a name says of its format, in small letters; nothing where it says nothing."""
    segment = re.split(r"[/\\]", given or "")[-1].replace("\0", "")
    return _split(segment.strip(" ."))[1].lower()


def disposition(kind: str, name: str) -> str:
    """A Content-Disposition (RFC 6266): a plain form for old clients, the exact one in UTF-8. kind: `attachment`."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%;]', "_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _split(segment: str) -> tuple[str, str]:
    stem, dot, extension = segment.rpartition(".")
    if not dot or not re.fullmatch(r"[A-Za-z0-9]{1,10}", extension):
        return segment, ""
    return stem, extension
