"""The gallery as an application that is served: `freehold serve tests.media.served_app:app`."""

from __future__ import annotations

import os
from pathlib import Path

from tests.media import gallery_app

app = gallery_app.build(os.environ["FREEHOLD_DATABASE_URL"], Path(os.environ["FREEHOLD_VAR_DIR"]))
