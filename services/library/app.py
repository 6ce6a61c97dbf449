"""What a server imports: Library, with the settings of this process."""

from __future__ import annotations

from .service import build

app = build()
