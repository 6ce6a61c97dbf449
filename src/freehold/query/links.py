"""The `Link` header of a page (RFC 8288): path-absolute addresses that repeat the question and move the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode


def page_links(
    path: str, params: Sequence[tuple[str, str]], *, next_cursor: str | None = None, prev_cursor: str | None = None
) -> str:
    """The value of the header: `next` and `prev` where there are such pages, and `first`.

    path: as the client sent it, decoded. params: the decoded query parameters, in order.
    """
    kept = [(name, value) for name, value in params if name != "cursor"]
    cursors = {"next": next_cursor, "prev": prev_cursor}
    links = [_link(path, [*kept, ("cursor", cursor)], rel) for rel, cursor in cursors.items() if cursor is not None]
    return ", ".join([*links, _link(path, kept, "first")])


def _link(path: str, params: Sequence[tuple[str, str]], rel: str) -> str:
    question = f"?{urlencode(params)}" if params else ""
    return f'<{quote(path, safe="/:@!$&()*+,;=-._~")}{question}>; rel="{rel}"'
