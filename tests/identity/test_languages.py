"""The language that somebody would rather read."""

from __future__ import annotations

import pytest

from freehold.identity.languages import preferred


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("de", "de"),
        ("de-AT,en;q=0.5", "de"),
        ("en;q=0.3, ES;q=0.8", "es"),
        ("fr, *;q=0.1", "en"),
        ("fr;q=1, de;q=0", None),
        ("", None),
        ("de;q=many, es", "es"),
        (", ;q=1,,;" * 1000, None),
    ],
)
def test_the_language_that_is_asked_for(header: str, found: str | None) -> None:
    assert preferred(header, ("en", "es", "de")) == found
