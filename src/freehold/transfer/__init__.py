"""Rows in and out as files: `freehold import`, and the same over HTTP.

Belongs here: reading and writing CSV and JSON Lines, the place where an import stands, what was said of its rows. Never
here: what a row may be and who may write it, which the resource says (`Target`).
"""

from freehold.resource.record import Record
from freehold.transfer.files import import_file
from freehold.transfer.importing import Report, Stopped
from freehold.transfer.source import Unreadable

__all__ = ["Record", "Report", "Stopped", "Unreadable", "import_file"]
