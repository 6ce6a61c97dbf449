"""The file of a backup: a tar with its manifest at the end. It appears under its name only when it is whole and synced."""

from __future__ import annotations

import hashlib
import os
import tarfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from freehold.backup.manifest import FILES, NAME, SECRET, Entry, Manifest
from freehold.errors import ConfigurationError

_PIECE_BYTES = 1024 * 1024
DUMPS = ("database.sqlite", "database.pgdump")


class Writer:
    """Writes a backup beside its place, readable by its owner alone. `.gz` or `.tgz` at the end of the name compresses it.

    Leaving the block without `finish` removes what was written. Raises ConfigurationError where the target exists.
    """

    def __init__(self, target: Path) -> None:
        if target.exists():
            raise ConfigurationError(f"{target} exists already: a backup is never written over.")
        self.target = target
        self._draft = target.with_name(f"{target.name}.{os.getpid()}.partial")
        self._entries: list[Entry] = []
        self.size_bytes = 0

    def __enter__(self) -> Self:
        try:
            self._file = os.fdopen(os.open(self._draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
        except OSError as error:
            raise ConfigurationError(f"{self.target} cannot be written ({error.strerror}).") from None
        mode: Any = "w:gz" if self.target.suffix in (".gz", ".tgz") else "w"
        self._tar = tarfile.open(fileobj=self._file, mode=mode, format=tarfile.PAX_FORMAT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._draft.unlink(missing_ok=True)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A file beside the target, for what has to be written before it can be taken in."""
        path = self._draft.with_suffix(".dump")
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def add(self, name: str, source: Path) -> Entry:
        """Take a file in, and note its digest."""
        with source.open("rb") as file:
            return self._add(name, file, os.fstat(file.fileno()).st_size)

    def add_bytes(self, name: str, content: bytes) -> Entry:
        """Take an entry in that is in memory."""
        return self._add(name, BytesIO(content), len(content))

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, which gets the entries, and put the file into its place."""
        manifest.entries = self._entries
        content = manifest.encode()
        self._tar.addfile(_described(NAME, len(content)), BytesIO(content))
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self.size_bytes = self._file.tell()
        self._draft.rename(self.target)
        folder = os.open(self.target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _add(self, name: str, file: IO[bytes], size: int) -> Entry:
        hashed = _Hashed(file)
        self._tar.addfile(_described(name, size), hashed)
        self._entries.append(Entry(name, size, hashed.digest.hexdigest()))
        return self._entries[-1]


class Archive:
    """A backup that is there. Raises ConfigurationError, in every method, for what is none or is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def verify(self) -> Manifest:
        """Read all of it, and hold each part against the manifest."""
        found: dict[str, Entry] = {}
        manifest: Manifest | None = None
        with self._readable():
            for name, file, size in self.parts():
                if name == NAME:
                    manifest = Manifest.decode(file.read())
                    continue
                hashed = _Hashed(file)
                while hashed.read(_PIECE_BYTES):
                    pass
                found[name] = Entry(name, size, hashed.digest.hexdigest())
        if manifest is None:
            raise ConfigurationError(f"{self.path} has no manifest at its end: it was cut off.")
        promised = {entry.name: entry for entry in manifest.entries}
        wrong = sorted(name for name in promised.keys() | found.keys() if promised.get(name) != found.get(name))
        if wrong:
            raise ConfigurationError(
                f"{self.path} is damaged: {', '.join(wrong[:5])}{' and more' if len(wrong) > 5 else ''} "
                "are not what the manifest says."
            )
        return manifest

    def parts(self) -> Iterator[tuple[str, IO[bytes], int]]:
        """Every entry in order: its name, its content, its length. Nothing that a backup does not hold is let through."""
        seen: set[str] = set()
        with self._readable(), tarfile.open(self.path) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                if file is None or member.name in seen or not _is_ours(member.name):
                    raise ConfigurationError(f"{self.path} holds {member.name!r}, which belongs to no backup.")
                seen.add(member.name)
                yield member.name, file, member.size

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            said = (isinstance(error, OSError) and error.strerror) or "it is not a whole tar file"
            raise ConfigurationError(f"{self.path} cannot be read as a backup ({said}).") from None


class _Hashed:
    """A file whose digest is made as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


def _is_ours(name: str) -> bool:
    parts = name.split("/")
    if name.startswith(FILES):
        return len(parts) > 1 and not any(part in ("", ".", "..") for part in parts)
    return name in (NAME, SECRET, *DUMPS)


def _described(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(time.time())
    return info
