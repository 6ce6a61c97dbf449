"""Mail as files: the embedded form, readable with any mail program."""

from __future__ import annotations

import asyncio
import os
import re
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path


class FileMail:
    """Writes each message as one `.eml` file into `folder`, complete or not at all.

    Names sort by time; a message that is delivered again replaces itself. Only the owner may read them: they hold
    links that log in.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def deliver(self, message: EmailMessage) -> None:
        """Write the message; on the disk when this returns."""
        await asyncio.to_thread(self._write, message)

    def _write(self, message: EmailMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = self._folder / _file_name(message)
        partial = target.with_suffix(f".{os.getpid()}.partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(message.as_bytes())
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        _sync_folder(self._folder)


def _file_name(message: EmailMessage) -> str:
    local_part = str(message["Message-ID"]).strip("<>").partition("@")[0]
    moment = parsedate_to_datetime(str(message["Date"])).strftime("%Y%m%dT%H%M%SZ")
    return f"{moment}-{re.sub(r'[^0-9A-Za-z.-]', '_', local_part)}.eml"


def _sync_folder(folder: Path) -> None:
    """Make the new name durable, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
