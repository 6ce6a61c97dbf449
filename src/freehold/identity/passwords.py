"""Hash and verify passwords without holding up the event loop.

Argon2id (RFC 9106) by pwdlib, in a pool of as many threads as there are cores. The queue in front of the pool is
bounded: past it a caller is told to come back (503), because a queue without end is how log-ins stop a service.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

from freehold.errors import Unavailable

T = TypeVar("T")

# Longer than any policy allows: what comes in at a log-in is cut off from the hash here, never shortened.
LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """Argon2id parameters. The default is the first choice of OWASP's cheat sheet (2025): 19 MiB, two passes.

    A hash made with other parameters is replaced at its owner's next good log-in.
    """

    memory_kib: int = 19_456
    passes: int = 2
    lanes: int = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the password was right, and the hash to store instead when the stored one has older parameters."""

    ok: bool
    replacement: str | None = None


WRONG = Verdict(ok=False)


def normalise(password: str) -> str:
    """The form that is hashed and counted: NFC, so that composed and decomposed input are one password (RFC 8265 4.2).

    Not NFKC, which would make different characters equal, and no case folding: the whole password counts.
    """
    return unicodedata.normalize("NFC", password)


def _hasher(cost: Cost) -> PasswordHash:
    return PasswordHash((Argon2Hasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes),))


@cache
def _hash_of_nobody(cost: Cost) -> str:
    """Of a password that nobody knows, made once in a process."""
    return _hasher(cost).hash(os.urandom(16).hex())


class Passwords:
    """A bounded hashing pool. Close it at the end of the process.

    workers: threads, by default one per core. queue: calls that may wait beyond those; past it `Unavailable` with
    Retry-After. 128 of them wait about 2 s on two cores.
    """

    def __init__(self, *, cost: Cost = Cost(), workers: int | None = None, queue: int = 128) -> None:
        self._hash = _hasher(cost)
        self._workers = workers or os.cpu_count() or 1
        self._limit = self._workers + queue
        self._waiting = 0
        self._pool = self._new_pool()
        # Verified when there is no account: the same work as for a real one (A01).
        self._nobody = _hash_of_nobody(cost)

    async def hash(self, password: str) -> str:
        """The Argon2id hash of the password in NFC, with a salt of its own."""
        return await self._run(lambda: self._hash.hash(normalise(password)))

    async def verify(self, password: str, stored: str | None) -> Verdict:
        """Compare. stored: None for an account that does not exist or has no password: same time, always wrong."""
        return await self._run(lambda: self._verify(password, stored))

    def close(self) -> None:
        """Drop what waits and let running hashes end by themselves. An application that starts again hashes again."""
        closed, self._pool = self._pool, self._new_pool()
        closed.shutdown(wait=False, cancel_futures=True)

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._workers, thread_name_prefix="freehold-password", initializer=_be_patient)

    def _verify(self, password: str, stored: str | None) -> Verdict:
        usable = stored is not None and len(password) <= LONGEST
        try:
            text = normalise(password).encode("utf-8") if len(password) <= LONGEST else b""
        except UnicodeEncodeError:  # a lone surrogate: no stored password holds one
            usable, text = False, b""
        try:
            ok, replacement = self._hash.verify_and_update(text, stored if usable and stored else self._nobody)
        except PwdlibError:  # a stored value that is no Argon2 hash
            return WRONG
        return Verdict(ok, replacement) if ok and usable else WRONG

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._limit:
            raise Unavailable("Too many log-ins at the moment.", retry_after=2)
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        # Counted until the thread is done, also when the caller has gone: the work is still there.
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: asyncio.Future[T]) -> None:
        self._waiting -= 1
        if not future.cancelled():
            future.exception()  # fetched, so that an abandoned failure is not reported as never retrieved


def _be_patient() -> None:
    """Lower this thread's priority (Linux: it is per thread), so that a storm of log-ins leaves the loop its core."""
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
