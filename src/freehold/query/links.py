"""The `Link` header of a page (RFC 8288): path-absolute addresses that repeat the question and move the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlencode

_MOST_KEPT: Final = 500


def page_links(
    path: str, params: Sequence[tuple[str, str]], *, next_cursor: str | None = None, prev_cursor: str | None = None
) -> str:
    """The value of the header: `next` and `prev` where there are such pages, and `first`.

    path: as the client sent it, decoded. params: the decoded query parameters, in order. Cursors stand in it as they are:
    their letters mean nothing else in an address.
    """
    first = _first(path, tuple(params))
    beside = f"{first}{'&' if '?' in first else '?'}cursor="
    following = "" if next_cursor is None else f'<{beside}{next_cursor}>; rel="next", '
    preceding = "" if prev_cursor is None else f'<{beside}{prev_cursor}>; rel="prev", '
    return f'{following}{preceding}<{first}>; rel="first"'


@lru_cache(maxsize=_MOST_KEPT)
def _first(path: str, params: tuple[tuple[str, str], ...]) -> str:
    """The address of the first page: asked for with every other one."""
    kept = [(name, value) for name, value in params if name != "cursor"]
    return quote(path, safe="/:@!$&()*+,;=-._~") + (f"?{urlencode(kept)}" if kept else "")
