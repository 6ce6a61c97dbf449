"""The rows that everyone is asked about: made by the database itself, the same ones for all.

The tables are Freehold's. Peers write to them too, so what only Freehold fills gets a default.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product

import asyncpg

from freehold.resource.grams import document
from freehold.resource.search_text import tsvector

ROWS, USERS, NOTES_EACH, CITIES = 100_000, 10_000, 200, 200
KINDS = ("house", "flat", "studio", "farm")
_ADJECTIVES = ["bright", "quiet", "sunny", "restored", "modern", "spacious", "narrow", "tall", "hidden", "stately"]
_NOUNS = ["villa", "cottage", "townhouse", "loft", "bungalow", "chalet", "mansion", "barn", "terrace", "apartment"]
_PLACES = ["harbour", "forest", "station", "market", "river", "meadow", "castle", "vineyard", "lighthouse", "orchard"]

DESCRIPTION = (
    "Three minutes from the tram, with a garden that faces south and a cellar for bicycles. The kitchen was renewed last "
    "year, the windows are new and the roof has been insulated. Pets are welcome; please do not smoke inside."
)
_PROPERTIES = """
INSERT INTO properties (id, title, description, city, kind, bedrooms, bathrooms, area_m2, price_amount, price_currency,
                        latitude, longitude, built_in, owner_id, search, created_at, updated_at, row_version)
SELECT ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, t.title, $1,
       'City ' || lpad((n % $2)::text, 3, '0'), (ARRAY['house', 'flat', 'studio', 'farm'])[1 + (n / $2) % 4],
       1 + (n / 7) % 5, 1 + (n / 11) % 3, 30 + (n * 7) % 250, 100000 + (n * 37) % 900000, 'EUR',
       47 + ((n * 13) % 1000) / 1000.0, 8 + ((n * 17) % 1000) / 1000.0, 1900 + n % 125,
       ('018e0000-0000-7000-8000-' || lpad(to_hex(n % $3), 12, '0'))::uuid, t.terms,
       timestamptz '2024-01-01Z' + n * interval '1 second', timestamptz '2024-01-01Z' + n * interval '1 second', 1
  FROM generate_series($4::bigint, $5::bigint) n JOIN bench_titles t ON t.place = (n / 3) % (SELECT count(*) FROM bench_titles)
"""
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
 WHERE tablename = 'properties' AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""
_PEOPLE = """
INSERT INTO users (id, email, email_key, full_name, roles, is_active, created_at, updated_at, row_version)
SELECT ('018e0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'p' || n || '@example.com', 'p' || n || '@example.com',
       'Person ' || n, '[]'::json, true, timestamptz '2024-01-01Z', timestamptz '2024-01-01Z', 1
  FROM generate_series(0, $1::int - 1) n
"""
_NOTES = """
INSERT INTO notes (id, text, owner_id, created_at, updated_at, row_version)
SELECT gen_random_uuid(), 'Call back about listing ' || n || ' before the end of the week.', u.id,
       timestamptz '2024-01-01Z' + n * interval '1 minute', timestamptz '2024-01-01Z' + n * interval '1 minute', 1
  FROM users u, generate_series(1, $1::int) n WHERE u.email LIKE 'caller%' OR n <= 10
"""


def titles() -> list[str]:
    """A thousand titles; each word of one stands in a hundred of them."""
    return [f"{one.title()} {two} near the {three}" for one, two, three in product(_ADJECTIVES, _NOUNS, _PLACES)]


async def fill(url: str, *, rows: int = ROWS) -> None:
    """Load the rows into tables that are there and empty. rows: of properties."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("ALTER TABLE properties ALTER search SET DEFAULT ''")
        for table in ("properties", "users", "notes"):
            await connection.execute(f"ALTER TABLE {table} ALTER row_version SET DEFAULT 1")
        await connection.execute(
            "CREATE UNLOGGED TABLE bench_titles (place bigint PRIMARY KEY, title text, terms tsvector)"
        )
        listed = [(n, title, tsvector(document([title]))) for n, title in enumerate(titles())]
        await connection.executemany("INSERT INTO bench_titles VALUES ($1, $2, $3::text::tsvector)", listed)
        await connection.execute(_PEOPLE, USERS)
        async with _without_indexes(connection):
            await grow(connection, rows)
        await connection.execute("CREATE INDEX peers_titles ON properties USING gin (to_tsvector('simple', title))")
        await connection.execute("VACUUM ANALYZE", timeout=3600)
    finally:
        await connection.close()


async def grow(connection: asyncpg.Connection, rows: int) -> None:
    """Add so many properties."""
    for begin in range(1, rows + 1, 500_000):
        end = min(rows, begin + 499_999)
        await connection.execute(_PROPERTIES, DESCRIPTION, CITIES, USERS, begin, end, timeout=3600)


@asynccontextmanager
async def _without_indexes(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Those of the properties are built when the block ends: for ten million rows that takes a fraction of the time."""
    found = await connection.fetch(_INDEXES)
    for each in found:
        await connection.execute(f'DROP INDEX "{each["indexname"]}"')
    yield
    await connection.execute("SET maintenance_work_mem = '1GB'")
    for each in found:
        await connection.execute(each["indexdef"], timeout=3600)


async def give_notes(url: str) -> None:
    """Notes for those who call, and some for everybody else. Once the callers are registered.

    JavaScript and Django write milliseconds, so no instant is finer.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("UPDATE users SET created_at = date_trunc('second', created_at)")
        await connection.execute("UPDATE users SET updated_at = created_at")
        await connection.execute(_NOTES, NOTES_EACH)
        await connection.execute("VACUUM ANALYZE notes")
    finally:
        await connection.close()


def property_id(number: int) -> str:
    """The id of the n-th property, from 1."""
    return f"018f0000-0000-7000-8000-{number:012x}"
