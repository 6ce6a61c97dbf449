"""Where a browser goes once it is logged in: a path on this site, and nothing else (L05)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

FRONT_PAGE: Final = "/"
LONGEST: Final = 2_000
# Browsers drop tabs and line ends, and take a backslash for a slash: neither has a place in a path.
_PATH: Final = re.compile(r"/(?![/\\])[^\x00-\x20\x7f-\x9f\\]*")


def return_path(wanted: str | None) -> str:
    """The address, if it is a path on this site; otherwise the front page. In ASCII, as a header has it (RFC 3986 2.1)."""
    if not wanted or len(wanted) > LONGEST or not _PATH.fullmatch(wanted) or urlsplit(wanted).netloc:
        return FRONT_PAGE
    return quote(wanted, safe="/?&=#%:@!$'()*+,;-._~[]", errors="replace")


def with_outcome(path: str, **told: str) -> str:
    """The path with parameters added to its query."""
    parts = urlsplit(path)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(told))))))
