"""Freehold's own tables and their shipped history agree, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

import freehold.identity.factors.tables
import freehold.identity.organisations.tables
import freehold.identity.provider.tables
import freehold.identity.social.tables
import freehold.identity.tables
import freehold.jobs.tables
import freehold.store.audit
import freehold.store.idempotency
import freehold.store.outbox
import freehold.transfer.tables
import freehold.webhooks.tables  # noqa: F401 - each import registers its tables
from freehold.store import migrate
from freehold.store.ledger import LEDGER

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_the_shipped_history_makes_the_tables_as_they_are(database_url):
    said = []
    await migrate.upgrade_own(database_url, say=said.append)
    assert len(said) >= 1
    assert await migrate.check(migrate.own(database_url, LEDGER)) == [], 'run scripts/own_migration.py "what changed"'
    await migrate.upgrade_own(database_url, say=said.append)
    assert len(said) == len(set(said))


async def test_the_audit_walls_come_with_the_history(database_url):
    await migrate.upgrade_own(database_url, say=list)
    engine = create_async_engine(database_url)
    values = "('0190000000007000800000000000000a', '2027-01-01', 'a.b', 'a', 'b')"
    async with engine.begin() as connection:
        await connection.execute(
            text(f"INSERT INTO freehold_audit (id, recorded_at, action, subject_type, subject_id) VALUES {values}")
        )
    with pytest.raises(DBAPIError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM freehold_audit"))
    await engine.dispose()


async def test_own_tables_can_be_taken_back(database_url):
    await migrate.upgrade_own(database_url, say=list)
    await migrate.down(migrate.own(database_url), "base", say=list)
    assert await migrate.current(migrate.own(database_url)) is None
