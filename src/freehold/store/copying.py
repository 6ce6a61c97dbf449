"""Move a service's data from one database to another: every table, Freehold's own among them, or nothing.

The source is held still while it is read (its writers wait, or meet 503), the target is written in one transaction, and
before that commits each table is read back and compared. A copy that was broken off has left nothing: run it again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    JSON,
    Integer,
    MetaData,
    Row,
    Table,
    func,
    insert,
    inspect,
    literal,
    make_url,
    null,
    select,
    text,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from freehold.errors import ConfigurationError
from freehold.resource.search_text import SearchDocument
from freehold.store.audit import AUDIT
from freehold.store.audit_ddl import AuditWalls
from freehold.store.ledger import LEDGER
from freehold.store.migration_lock import only_one
from freehold.store.plain_engine import plain_engine

Say = Callable[[str], None]
_BATCH = 1_000
_TELL_EVERY = 20_000
_FLAG = "fh_null_"
_FOREIGN_KEYS = text(
    "SELECT c.conrelid::regclass::text, quote_ident(c.conname), pg_get_constraintdef(c.oid) FROM pg_constraint c"
    " JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.contype = 'f' AND n.nspname = current_schema()"
)


@dataclass(slots=True)
class _Sum:
    """What a table holds, in any order: how many rows, and the sum of their digests."""

    rows: int = 0
    digest: int = 0

    def add(self, row: Sequence[Any]) -> None:
        said = "\x1f".join(_canonical(value) for value in row)
        self.rows += 1
        self.digest = (self.digest + int.from_bytes(sha256(said.encode()).digest()[:16], "big")) % 2**128


async def copy(source: str, target: str, metadata: Iterable[MetaData], *, say: Say = print) -> dict[str, int]:
    """Copy every table; table -> rows, in the order of copying. source, target: URLs, with the same schema.

    Raises ConfigurationError, with the target as it was, where it is not empty, lacks a table, or reads back otherwise.
    """
    if make_url(source) == make_url(target):
        raise ConfigurationError("Source and target are the same database.")
    tables = [table for each in dict.fromkeys((*metadata, LEDGER)) for table in each.sorted_tables]
    async with only_one(make_url(target), say), _still(source) as reader, _written(target) as writer:
        there = await _both(reader, writer, tables)
        await _refuse_rows(writer, there)
        copied: dict[str, int] = {}
        async with _open_for_copies(writer):
            for table in there:
                copied[table.name] = await _table(reader, writer, table, say)
        await _check_references(writer)
    return copied


async def _table(reader: AsyncConnection, writer: AsyncConnection, table: Table, say: Say) -> int:
    sent, columns = _Sum(), _columns(table)
    total = await reader.scalar(select(func.count()).select_from(table))
    async for rows in _pages(reader, table, _asked(table)):
        for row in rows:
            sent.add(row[: len(columns)])
        await _insert(writer, table, rows)
        if sent.rows % _TELL_EVERY == 0:
            say(f"  {table.name}: {sent.rows:,} of {total:,}")
    read = _Sum()
    async for rows in _pages(writer, table, select(*columns)):
        for row in rows:
            read.add(row)
    if read != sent or sent.rows != total:
        raise ConfigurationError(
            f"{table.name}: {sent.rows:,} rows were sent and {read.rows:,} read back"
            f"{'' if read.rows != sent.rows else ', and not the same ones'}; nothing was kept."
        )
    if sent.rows:
        await _set_sequence(writer, table)
        say(f"{table.name}: {sent.rows:,} rows, read back alike")
    return sent.rows


def _columns(table: Table) -> list[Any]:
    """What is copied. A search document is not: it is computed as its row is inserted, in the form of the database."""
    return [c for c in table.c if c.computed is None and not isinstance(c.type, SearchDocument)]


def _asked(table: Table) -> Any:
    """Every column, and for JSON whether it is NULL: a stored `null` reads as None too."""
    flags = [c.is_(None).label(_FLAG + c.name) for c in _columns(table) if isinstance(c.type, JSON)]
    return select(*_columns(table), *flags)


async def _pages(connection: AsyncConnection, table: Table, query: Any) -> AsyncIterator[Sequence[Row[Any]]]:
    """The rows by their key, a thousand at a time; no cursor stays open, or PostgreSQL would let nobody alter the table."""
    keys = list(table.primary_key.columns)
    if not keys:
        yield (await connection.execute(query)).all()
        return
    places = [_columns(table).index(key) for key in keys]
    page = query.order_by(*keys).limit(_BATCH)
    while rows := (await connection.execute(page)).all():
        yield rows
        last = [literal(rows[-1][place], key.type) for place, key in zip(places, keys, strict=True)]
        behind = keys[0] > last[0] if len(keys) == 1 else tuple_(*keys) > tuple_(*last)
        page = query.where(behind).order_by(*keys).limit(_BATCH)


async def _insert(writer: AsyncConnection, table: Table, rows: Sequence[Row[Any]]) -> None:
    columns = _columns(table)
    json_names = [column.name for column in columns if isinstance(column.type, JSON)]
    alike: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        values, flags = row[: len(columns)], row[len(columns) :]
        absent = frozenset(name for name, flag in zip(json_names, flags, strict=True) if flag)
        given = {column.key: value for column, value in zip(columns, values, strict=True) if column.name not in absent}
        alike[absent].append(given)
    for absent, parameters in alike.items():
        statement = insert(table)
        if absent:
            statement = statement.values({table.c[name].key: null() for name in absent})
        await writer.execute(statement, parameters)


def _canonical(value: Any) -> str:
    """One text for a value, whichever driver read it."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, memoryview | bytearray):
        value = bytes(value)
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, default=repr)
    return repr(value)


async def _both(reader: AsyncConnection, writer: AsyncConnection, tables: Sequence[Table]) -> list[Table]:
    """The tables that the source has. Raises where the target lacks one."""
    from_names, to_names = [
        set(await connection.run_sync(lambda each: inspect(each).get_table_names())) for connection in (reader, writer)
    ]
    missing = [table.name for table in tables if table.name in from_names - to_names]
    if missing:
        raise ConfigurationError(f"The target has no table {', '.join(missing)}: migrate it to the same revision.")
    return [table for table in tables if table.name in from_names]


async def _refuse_rows(writer: AsyncConnection, tables: Sequence[Table]) -> None:
    for table in tables:
        if await writer.scalar(select(func.count()).select_from(select(1).select_from(table).limit(1).subquery())):
            raise ConfigurationError(
                f"The target is not empty: {table.name} has rows. Give a database that holds none; nothing was changed."
            )


@asynccontextmanager
async def _still(url: str) -> AsyncIterator[AsyncConnection]:
    """The source in one transaction: on SQLite nobody else writes meanwhile, on PostgreSQL it is one snapshot."""
    async with plain_engine(make_url(url)) as engine, engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


@asynccontextmanager
async def _written(url: str) -> AsyncIterator[AsyncConnection]:
    async with plain_engine(make_url(url)) as engine, engine.begin() as connection:
        yield connection


@asynccontextmanager
async def _open_for_copies(writer: AsyncConnection) -> AsyncIterator[None]:
    """Inside the transaction: take down what refuses rows that were made elsewhere, and put it back.

    The audit walls refuse a record that has its number already; foreign keys, rows that point ahead. All are back, and
    hold for every row, before the commit.
    """
    dialect, walls = writer.dialect.name, AuditWalls()
    keys: list[tuple[str, str, str]] = []
    walled = await writer.run_sync(lambda each: inspect(each).has_table(AUDIT.name))
    if walled:
        for statement in walls.drop(dialect):
            await writer.exec_driver_sql(statement)
    if dialect == "postgresql":
        keys = [(table, name, told) for table, name, told in (await writer.execute(_FOREIGN_KEYS)).all()]
        for table, name, _ in keys:
            await writer.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield
    for table, name, definition in keys:
        await writer.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    if walled:
        for statement in walls.create(dialect):
            await writer.exec_driver_sql(statement)


async def _check_references(writer: AsyncConnection) -> None:
    """SQLite does not watch foreign keys in this transaction; look once before the commit."""
    if writer.dialect.name == "sqlite" and (await writer.exec_driver_sql("PRAGMA foreign_key_check")).first():
        raise ConfigurationError("Rows of the source point to rows that are not there; nothing was kept.")


async def _set_sequence(writer: AsyncConnection, table: Table) -> None:
    column = table.autoincrement_column
    if writer.dialect.name != "postgresql" or column is None or not isinstance(column.type, Integer):
        return
    quoted = writer.dialect.identifier_preparer.format_table(table)
    await writer.execute(
        select(
            func.setval(func.pg_get_serial_sequence(quoted, column.name), select(func.max(column)).scalar_subquery())
        )
    )
