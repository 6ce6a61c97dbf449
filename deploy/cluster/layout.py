"""Where a cluster keeps its things, on which ports it listens, and how many of each there are."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


class NotPossible(Exception):
    """The cluster cannot do that here; the message says what to do."""


@dataclass(frozen=True)
class Layout:
    """A cluster of so many API processes and workers. base: its first port; the thirty behind it are its own."""

    folder: Path
    base: int
    apis: int
    workers: int

    @classmethod
    def from_environment(cls) -> Layout:
        """By CLUSTER_DIR, CLUSTER_PORT, CLUSTER_APIS and CLUSTER_WORKERS, or var/cluster, 8100, 4 and 2."""
        folder = Path(os.environ.get("CLUSTER_DIR") or ROOT / "var" / "cluster").absolute()
        numbers = [_number(*each) for each in (("CLUSTER_PORT", 8100), ("CLUSTER_APIS", 4), ("CLUSTER_WORKERS", 2))]
        base, apis, workers = numbers
        if not (1024 <= base <= 65505 and 1 <= apis <= 9 and 0 <= workers <= 9):
            raise NotPossible("CLUSTER_PORT is 1024 to 65505, CLUSTER_APIS 1 to 9, CLUSTER_WORKERS 0 to 9.")
        return cls(folder, base, apis, workers)

    @property
    def front(self) -> int:
        """Where clients go: nginx."""
        return self.base

    def api(self, number: int) -> int:
        """The API process with this number, from 1."""
        return self.base + number

    def worker(self, number: int) -> int:
        """Where the worker with this number, from 1, answers probes."""
        return self.base + 20 + number

    @property
    def postgres(self) -> int:
        return self.base + 10

    @property
    def redis(self) -> int:
        return self.base + 11

    @property
    def nats(self) -> int:
        return self.base + 12

    @property
    def s3(self) -> int:
        return self.base + 13

    @property
    def smtp(self) -> int:
        return self.base + 14

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.front}"

    @property
    def secret(self) -> str:
        """Made once, and kept beside the rows that it seals."""
        file = self.folder / "secret"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(48))
        return file.read_text()


def _number(name: str, default: int) -> int:
    given = os.environ.get(name) or str(default)
    if not given.isdigit():
        raise NotPossible(f"{name}={given} is not a number.")
    return int(given)
