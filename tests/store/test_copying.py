"""Data moved from one database to another: all of it, as it was, or nothing."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import JSON, ForeignKey, MetaData, Numeric, String, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from freehold.errors import ConfigurationError
from freehold.resource.base import NAMING, Base, new_id
from freehold.resource.columns import folded, search_document
from freehold.resource.principal import system
from freehold.store import copying
from freehold.store.audit import AUDIT, record
from freehold.store.audit_check import examine
from freehold.store.audit_sealing import seal_pending
from freehold.store.database import Database
from freehold.store.idempotency import IDEMPOTENCY
from freehold.store.schema import create_missing

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
KEY = b"the key of the audit chain"


class Local(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Colour(enum.Enum):
    RED = "red"


class Crate(Local):
    __tablename__ = "copied_crates"
    inside_id: Mapped[UUID | None] = mapped_column(ForeignKey("copied_crates.id"))
    title: Mapped[str] = mapped_column(String(100))
    title_key: Mapped[str] = folded("title", index=True)
    search: Mapped[str] = search_document("title")
    price: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    packed_on: Mapped[date | None]
    sent_at: Mapped[datetime | None]
    colour: Mapped[Colour | None]
    label: Mapped[bytes | None]
    notes: Mapped[Any | None] = mapped_column(JSON)


class Tally(Local):
    __tablename__ = "copied_tallies"
    id: Mapped[int] = mapped_column(primary_key=True)  # type: ignore[assignment]
    crate_id: Mapped[UUID] = mapped_column(ForeignKey("copied_crates.id"))


async def opened(url: str) -> Database:
    database = Database.open(url)
    await database.start()
    await create_missing(database, [Local.metadata])
    return database


@pytest.fixture
async def databases(tmp_path: Path, postgres_url: str, request: Any) -> AsyncIterator[tuple[Database, Database]]:
    """A filled source and an empty target, one of each kind."""
    urls = [f"sqlite+aiosqlite:///{tmp_path}/here.db", postgres_url]
    if request.param == "from postgresql":
        urls.reverse()
    source, target = await opened(urls[0]), await opened(urls[1])
    inner, outer = new_id(), new_id()
    crates = [
        {
            "id": inner,
            "inside_id": outer,
            "title": "Äpfel in a crate",
            "price": Decimal("1.50"),
            "notes": {"b": [1.5, None]},
        },
        {"id": outer, "title": "東京 crate", "sent_at": datetime(2026, 1, 2, 3, 4, 5, 678, UTC), "label": b"\x00\xff"},
        {"id": new_id(), "title": "small", "packed_on": date(2026, 2, 28), "colour": Colour.RED},
    ]
    async with source.writing(system("test")) as unit:
        for each in crates[1:] + crates[:1]:
            unit.session.add(Crate(**each))
            await unit.session.flush()
        await unit.session.execute(text("UPDATE copied_crates SET notes = 'null' WHERE title = 'small'"))
        unit.session.add_all([Tally(crate_id=inner) for _ in range(1_205)])
        for n in range(3):
            await record(unit.session, "crate.made", subject_type="crate", subject_id=n, after={"ü": [1, 2.5]})
        key = {
            "id": b"k" * 32,
            "fingerprint": b"f" * 32,
            "sealed": b"s",
            "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        }
        await unit.session.execute(insert(IDEMPOTENCY).values(**key))
    await seal_pending(source, key=KEY)
    yield source, target
    await source.close()
    await target.close()


async def run(source: Database, target: Database) -> dict[str, int]:
    urls = [each.url.render_as_string(hide_password=False) for each in (source, target)]
    told: list[str] = []
    copied = await copying.copy(urls[0], urls[1], [Local.metadata], say=told.append)
    assert any("copied_tallies: 1,205 rows" in line for line in told)
    return copied


async def held(database: Database) -> list[Any]:
    async with database.reading(system("test")) as session:
        # Of the search document each database has a form of its own.
        columns = [column for column in Crate.__table__.c if column.name != "search"]
        crates = [tuple(row) for row in (await session.execute(select(*columns).order_by(Crate.id))).all()]
        nulls = (
            await session.execute(text("SELECT title FROM copied_crates WHERE notes IS NULL ORDER BY title"))
        ).all()
        tallies = (await session.execute(select(Tally.__table__).order_by(Tally.id))).all()
        audit = (await session.execute(select(AUDIT).order_by(AUDIT.c.sequence))).all()
        return [crates, [tuple(row) for row in nulls], [tuple(row) for row in tallies], [tuple(row) for row in audit]]


@pytest.mark.parametrize("databases", ["from sqlite", "from postgresql"], indirect=True)
async def test_all_tables_arrive_as_they_were_or_none(
    databases: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = databases
    empty = await held(target)

    # Broken off on the way, or read back otherwise: the target is as empty as before, and its walls stand.
    insert_rows = copying._insert

    async def broken(writer: Any, table: Any, rows: Any) -> None:
        if table is AUDIT:
            raise OSError("the cable")
        await insert_rows(writer, table, rows)

    async def lossy(writer: Any, table: Any, rows: Any) -> None:
        await insert_rows(writer, table, rows[:-1] if table is Tally.__table__ else rows)

    for fault, refusal in ((broken, OSError), (lossy, ConfigurationError)):
        monkeypatch.setattr(copying, "_insert", fault)
        with pytest.raises(refusal):
            await run(source, target)
        assert await held(target) == empty
    monkeypatch.setattr(copying, "_insert", insert_rows)

    copied = await run(source, target)
    assert {name: copied[name] for name in ("copied_crates", "copied_tallies", "freehold_audit", "freehold_idempotency")} == {
        "copied_crates": 3, "copied_tallies": 1_205, "freehold_audit": 3, "freehold_idempotency": 1,
    }  # fmt: skip
    assert await held(target) == await held(source)

    # The chain is whole there, the walls are back, references and counters go on.
    async with target.reading(system("test")) as session:
        verdict = await examine(session, key=KEY)
    assert (verdict.sealed, verdict.faults) == (3, [])
    with pytest.raises(DBAPIError, match="append-only"):
        async with target.engine.begin() as connection:
            await connection.execute(text("DELETE FROM freehold_audit"))
    with pytest.raises(IntegrityError):
        async with target.writing(system("test")) as unit:
            unit.session.add(Tally(crate_id=new_id()))
    async with target.writing(system("test")) as unit:
        crate = (await unit.session.scalars(select(Crate).where(Crate.title == "small"))).one()
        tally = Tally(crate_id=crate.id)
        unit.session.add(tally)
        await unit.session.flush()
        assert tally.id > 1_205
    async with target.reading(system("test")) as session:
        found = {
            "sqlite": "SELECT count(*) FROM copied_crates_fts WHERE copied_crates_fts MATCH '\"crate\"'",
            "postgresql": "SELECT count(*) FROM copied_crates WHERE search @@ CAST('crate' AS tsquery)",
        }
        assert (await session.execute(text(found[target.dialect_name]))).scalar_one() == 2

    with pytest.raises(ConfigurationError, match=r"not empty: copied_crates has rows"):
        await run(source, target)
    with pytest.raises(ConfigurationError, match="the same database"):
        await run(source, source)
