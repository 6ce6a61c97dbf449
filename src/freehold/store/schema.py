"""The tables of a service as they stand: created in development, compared with the declarations everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, MetaData, Table, func, inspect, select

from freehold.resource.principal import system
from freehold.store.database import Database
from freehold.store.invariant_schema import missing, repair
from freehold.store.invariants import Registry
from freehold.store.ledger import LEDGER
from freehold.store.migration_lock import MIGRATING
from freehold.store.session import Session


async def create_missing(
    database: Database, metadata: Sequence[MetaData], *, tables: Sequence[Table] = ()
) -> list[str]:
    """Create the tables that are not there, and put up rules that were declared since; the names of both.

    tables: further ones, of a metadata whose others are left alone.
    """

    def create(connection: Connection) -> list[str]:
        before = set(inspect(connection).get_table_names())
        for each in (*metadata, LEDGER):
            each.create_all(connection)
        for table in tables:
            table.create(connection, checkfirst=True)
        made = sorted(set(inspect(connection).get_table_names()) - before)
        # A rule may be about a column that is missing: `faults` says that better than the database would.
        whole = not any(_absent(connection, each.tables.values()) for each in metadata)
        return made + (repair(connection, Registry(*metadata)) if whole else [])

    async with database.writing(system("create missing tables")) as unit:
        connection = await unit.session.connection()
        if connection.dialect.name == "postgresql":  # of two starters one creates, and the other finds it done
            await connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
        return await connection.run_sync(create)


async def faults(session: Session, metadata: Sequence[MetaData], *, tables: Sequence[Table] = ()) -> list[str]:
    """What is declared and not there: tables, columns, invariants. Each as a phrase. tables: see `create_missing`."""

    def compare(connection: Connection) -> list[str]:
        found = [fault for each in (*metadata, LEDGER) for fault in _absent(connection, each.tables.values())]
        found += _absent(connection, tables)
        return found or missing(connection, Registry(*metadata))

    connection = await session.connection()
    return await connection.run_sync(compare)


def _absent(connection: Connection, tables: Iterable[Table]) -> list[str]:
    inspector = inspect(connection)
    there = set(inspector.get_table_names())
    found = []
    for table in tables:
        if table.name not in there:
            found.append(f"table {table.name} is missing")
            continue
        columns = {column["name"] for column in inspector.get_columns(table.name)}
        found += [f"column {table.name}.{column.name} is missing" for column in table.c if column.name not in columns]
    return found
