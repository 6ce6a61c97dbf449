"""Where the suite keeps its files: in memory where there is room, so that SQLite does not wait for a disk at each commit."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 (pytest makes a folder in it that is its own)
_ROOM_BYTES = 2 * 1024**3

# Read by pytest before it makes the first folder; what somebody has set stands.
if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))
