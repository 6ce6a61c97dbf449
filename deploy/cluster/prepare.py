"""Bring the schema up to date and load the demo: `python -m deploy.cluster.prepare TARGET 0|1|all`, as the service is set up."""

from __future__ import annotations

import asyncio
import sys

from freehold.cli.serve import Demo, prepare
from freehold.cli.target import load

if __name__ == "__main__":
    target, demo = sys.argv[1:]
    asyncio.run(prepare(load(target), target, migrate=True, demo_data=Demo(demo)))
