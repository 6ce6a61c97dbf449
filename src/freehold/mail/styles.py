"""The style sheet of a letter, written into its elements: many mail programs read no other."""

from __future__ import annotations

from functools import cache
from typing import Protocol


class _Inliner(Protocol):
    def inline(self, html: str) -> str: ...


@cache
def _inliner() -> _Inliner | None:
    try:
        import css_inline  # noqa: PLC0415  # an extra: without it a letter keeps its style sheet as it is
    except ModuleNotFoundError:
        return None
    # At-rules (the dark scheme) cannot be written into elements and stay in a sheet. Nothing is fetched.
    made: _Inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
    return made


def inlined(html: str) -> str:
    """The document with its styles in the elements, where the extra `mail` is installed; as it was otherwise."""
    inliner = _inliner()
    return html if inliner is None or "<style" not in html else inliner.inline(html)
