"""To which version of the API an operation belongs, and whether a document goes on with a version or begins a new one."""

from __future__ import annotations

import re
from typing import Any

_SEGMENT = re.compile(r"/(v\d+)(?=/|$)")


def in_path(path: str) -> str | None:
    """`v1` of `/api/v1/books`; None where the path says nothing."""
    found = _SEGMENT.search(path)
    return found[1] if found else None


def of_document(document: dict[str, Any]) -> str:
    """What a new major version would change: `2` of 2.4.1, and below 1.0, where minor versions may break, `0.4` of 0.4.1."""
    major, _, rest = str(document["info"]["version"]).partition(".")
    return major if major != "0" else f"0.{rest.partition('.')[0] or '0'}"
