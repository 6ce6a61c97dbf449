"""The browser that the tests of the client drive: the system's own."""

from __future__ import annotations

import os
import shutil

# As scripts/find_services.py looks for it, and installs it where it is missing.
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def program() -> str | None:
    """The path of a Chromium: FREEHOLD_TEST_CHROMIUM, or the first on the PATH."""
    named = os.environ.get("FREEHOLD_TEST_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)
