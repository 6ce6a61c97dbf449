"""What a backup says of itself, in its last entry: what is in it, how much, and the SHA-256 of each part."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from freehold.errors import ConfigurationError

FORMAT = 1
NAME = "manifest.json"
SECRET = "secret.json"  # noqa: S105  # the name of an entry
FILES = "files/"


@dataclass(frozen=True, slots=True)
class Entry:
    """One part of a backup."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(slots=True)
class Manifest:
    """database: `sqlite` or `postgresql`, its dump in the entry `dump`. tables: rows of each at the moment of the dump.

    files: whether they are in it. made_at: RFC 3339.
    """

    service: str
    freehold: str
    made_at: str
    database: str
    server: str
    dump: str
    tables: dict[str, int]
    files: bool
    entries: list[Entry] = field(default_factory=list)
    format: int = FORMAT

    @property
    def rows(self) -> int:
        """Of all tables together."""
        return sum(self.tables.values())

    @property
    def stored(self) -> dict[str, Entry]:
        """The files of people, by their key in the store."""
        return {entry.name.removeprefix(FILES): entry for entry in self.entries if entry.name.startswith(FILES)}

    @property
    def has_secret(self) -> bool:
        """Whether the secret is in it, sealed."""
        return any(entry.name == SECRET for entry in self.entries)

    def encode(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False).encode()

    @classmethod
    def decode(cls, content: bytes) -> Manifest:
        """From JSON. Raises ConfigurationError for another format."""
        try:
            found = json.loads(content)
            if found["format"] != FORMAT:
                raise ConfigurationError(
                    f"The backup has format {found['format']}, this version of Freehold reads {FORMAT}: use the one that made it."
                )
            return cls(**{**found, "entries": [Entry(**entry) for entry in found["entries"]]})
        except (ValueError, TypeError, KeyError):
            raise ConfigurationError("The manifest of the backup cannot be read.") from None
