"""PgBouncer lends connections by transaction, here a single one to everybody (Z06): nobody's caller stays on it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url, select, text
from tests.ports import free_port
from tests.store.attack_statements import OPEN, SECRET, Attacked
from tests.store.roles import walled
from tests.store.test_attacks import prepare
from tests.store.test_read_path import ADA, BOB, filled, opened, path_of, planned, seen

from freehold import Access, owner
from freehold.resource.principal import Principal
from freehold.store.database import Database
from freehold.store.ledger import LEDGER
from freehold.store.postgresql import Patience

pytestmark = [pytest.mark.anyio, pytest.mark.faults]

CONFIGURATION = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = 1
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def pooler(url: str, folder: Path) -> Iterator[str]:
    """The same database by a PgBouncer before its server."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        message = "PgBouncer is not installed: apt-get install pgbouncer"
        pytest.fail(message) if os.environ.get("FREEHOLD_REQUIRE_SERVICES") == "1" else pytest.skip(message)
    port = free_port()
    server = make_url(url)
    configuration, users = folder / "pgbouncer.ini", folder / "users.txt"
    users.write_text(f'"{server.username}" ""\n')
    configuration.write_text(CONFIGURATION.format(host=server.host, port=server.port or 5432, listen=port, users=users))
    for each in (folder, *folder.parents[:2]):
        each.chmod(0o755)  # as root it has to become somebody else
    other = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([program, "-q", *other, str(configuration)])
    try:
        yield server.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
    finally:
        process.terminate()
        process.wait(10)


async def answering(url: str) -> None:
    for _ in range(100):
        try:
            connection = await asyncpg.connect(url.replace("+asyncpg", ""), statement_cache_size=0)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            await connection.close()
            return
    pytest.fail("PgBouncer did not start")


async def test_Z06_each_transaction_is_its_caller_s_through_a_transaction_pooler(
    postgres_url: str, tmp_path: Path
) -> None:
    async with walled(postgres_url) as roles:
        with pooler(roles.app, tmp_path) as url:
            database = Database.open(url, pool_size=8, patience=Patience(statement_seconds=7, pooled=True))
            database.registry.protect(Attacked, Access(read=owner("owner_id"), write=owner("owner_id")))
            await roles.build([Attacked.metadata, LEDGER], database.registry)
            await answering(url)
            await database.start()
            assert database.is_behind_wall
            target = await prepare(database)

            async def look(caller: object, expected: str) -> None:
                for turn in range(10):
                    async with database.writing(Principal(id=caller)) as unit:  # type: ignore[arg-type]
                        assert (await unit.session.scalars(select(Attacked.text))).all() == [expected], turn
                    async with database.reading(Principal(id=caller)) as session:  # type: ignore[arg-type]
                        assert (await session.scalars(select(Attacked.text))).all() == [expected], turn

            async with asyncio.TaskGroup() as group:
                for _ in range(4):
                    group.create_task(look(target.caller, OPEN))
                    group.create_task(look(target.other, SECRET))
            async with database.writing(Principal(id=target.caller)) as unit:
                assert await unit.session.scalar(text("SHOW statement_timeout")) == "7s"
            async with database.engine.connect() as connection:
                raw = (await connection.get_raw_connection()).driver_connection
                assert await raw.fetchval("SELECT count(*) FROM attacked_rows") == 0, (
                    "nothing is left on the connection"
                )
            await database.close()


async def test_planned_reads_share_one_connection_of_the_server_through_a_transaction_pooler(
    postgres_url: str, tmp_path: Path
) -> None:
    with pooler(postgres_url, tmp_path) as url:
        await answering(url)
        patience = Patience(statement_seconds=7, pooled=True)
        async with opened(postgres_url) as direct, opened(url, pool_size=8, patience=patience) as database:
            keys, plans = await filled(direct), planned()
            for who, first in ((ADA, 0), (BOB, 1)):
                found = await asyncio.gather(*(seen(database, plans, who, key) for key in keys * 4))
                assert found == [number if number % 2 == first else None for number in range(10)] * 4
            assert path_of(database).lanes.in_use == 0
