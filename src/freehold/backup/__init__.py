"""A service in one file: its rows as they were at one moment, its files, and the secret that opens what it has sealed.

`making` writes such a file while the service goes on, `restoring` puts it back and checks what came of it. The rows are
one port (`dumps`) with a form for each database.
"""

from freehold.backup.archive import Archive
from freehold.backup.making import Made, back_up
from freehold.backup.restoring import Restored, restore

__all__ = ["Archive", "Made", "Restored", "back_up", "restore"]
