"""Where a browser goes once it is logged in: a path on this site, and nothing else (L05)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

FRONT_PAGE: Final = "/"
LONGEST: Final = 2_000
# Browsers drop tabs and line ends, and take a backslash for a slash: neither has a place in a path. Two slashes at its
# start name another host.
_PATH: Final = re.compile(r"/(?![/\\])[^\x00-\x20\x7f-\x9f\\]*")
_DECODED: Final = re.compile(r"/(?!/)[^\x00-\x1f\x7f\\]*")


def return_path(wanted: str | None, *, otherwise: str = FRONT_PAGE, longest: int = LONGEST) -> str:
    """The address, if it is a path on this site; `otherwise` if not. In ASCII, as a header has it (RFC 3986 2.1).

    Judged as it is written and with its percents decoded, for whoever decodes it on the way.
    """
    if not wanted or len(wanted) > longest or not _PATH.fullmatch(wanted) or not _DECODED.fullmatch(unquote(wanted)):
        return otherwise
    return quote(wanted, safe="/?&=#%:@!$'()*+,;-._~[]", errors="replace")


def with_outcome(path: str, **told: str) -> str:
    """The path with parameters added to its query."""
    parts = urlsplit(path)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(told))))))
