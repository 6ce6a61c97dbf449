"""Mail as files: the embedded form, readable with any mail program."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,199}")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that lies in the folder. name: of its file, without the ending. text, html: the words as people see them."""

    name: str
    sent_at: datetime
    to: str
    subject: str
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str | None


class FileMail:
    """Writes each message as one `.eml` file into `folder`, complete or not at all.

    Names sort by time; a message that is delivered again replaces itself. Only the owner may read them: they hold
    links that log in.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """The messages that lie there, the newest first."""
        return sorted((path.stem for path in self._folder.glob("*.eml") if _NAME.fullmatch(path.stem)), reverse=True)

    def read(self, name: str) -> Letter:
        """One of them. Raises KeyError where there is none of this name."""
        path = self._folder / f"{name}.eml"
        if not _NAME.fullmatch(name) or not path.is_file():
            raise KeyError(name)
        return _letter(name, path.read_bytes())

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


def _letter(name: str, data: bytes) -> Letter:
    message = message_from_bytes(data, policy=policy.default)
    parts = {kind: message.get_body((kind,)) for kind in ("plain", "html")}
    words = {
        kind: None if part is None else str(part.get_content()).replace("\r\n", "\n") for kind, part in parts.items()
    }
    return Letter(
        name=name,
        sent_at=parsedate_to_datetime(str(message["Date"])),
        to=str(message["To"]),
        subject=str(message["Subject"]),
        headers=tuple((key, str(value)) for key, value in message.items()),
        text=words["plain"] or "",
        html=words["html"],
    )


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
