"""Write the next migration of Freehold's own tables: `python scripts/own_migration.py "what changed"`."""

from __future__ import annotations

import asyncio
import sys

import freehold.identity.factors.tables
import freehold.identity.organisations.tables
import freehold.identity.provider.tables
import freehold.identity.social.tables
import freehold.identity.tables
import freehold.jobs.tables
import freehold.media.tables
import freehold.store.audit
import freehold.store.idempotency
import freehold.store.outbox
import freehold.transfer.tables
import freehold.webhooks.tables  # noqa: F401 - each import registers its tables
from freehold.store.ledger import LEDGER
from freehold.store.migrate import make, own

if __name__ == "__main__":
    written = asyncio.run(make(own("sqlite+aiosqlite://", LEDGER), " ".join(sys.argv[1:]) or "change"))
    if written is None:
        print("the history and the tables agree")
