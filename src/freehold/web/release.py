"""Which code runs here: what another release has kept, by other rules perhaps, is not given by this one."""

from __future__ import annotations

import sys
import sysconfig
from functools import cache
from hashlib import blake2b
from importlib import metadata
from pathlib import Path


@cache
def release_of_code() -> str:
    """A digest of Freehold's version and of the source of every module that is loaded and not installed by a package.

    Processes that run the same code agree on it, on whatever machine. Asked once, as soon as the code is loaded: what lies on
    disk may be the next release by the time that a process is forked.
    """
    installed = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    digest = blake2b(metadata.version("freehold").encode(), digest_size=12)
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name == "__main__" or not file or not file.endswith(".py") or file.startswith(installed):
            continue
        digest.update(name.encode() + b"\0" + Path(file).read_bytes() + b"\0")
    return digest.hexdigest()
