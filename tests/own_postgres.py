"""A PostgreSQL for one run of the suite in many processes, in memory: no test waits for a disk that others keep busy.

Databases are emptied and dropped by the hundred. A server that syncs does so when one is dropped, for all that every other
one has changed: seconds, and on a busy machine more than a test may take.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack

import pytest

from find_services import postgres_binaries
from tests.postgres_cluster import MEMORY, cluster

SERVER = "FREEHOLD_TEST_POSTGRES"
_ROOM_BYTES = 4 * 1024**3


def start(config: pytest.Config) -> None:
    """Start it before the processes of xdist, which find it by the environment, and stop it after them.

    Not where a server is named, none is installed or memory is scarce, nor for a run in one process: it is over too soon.
    """
    in_many = config.getoption("numprocesses", None) and not hasattr(config, "workerinput")
    if not in_many or SERVER in os.environ or os.environ.get("FREEHOLD_TEST_DATABASES") == "sqlite":
        return
    if postgres_binaries() is None or MEMORY is None or shutil.disk_usage(MEMORY).free < _ROOM_BYTES:
        return
    stack = ExitStack()
    config.add_cleanup(stack.close)
    options = ["-c", "max_connections=400", "-c", "full_page_writes=off"]
    os.environ[SERVER] = stack.enter_context(cluster(*options, dies_with_us=True)).url
