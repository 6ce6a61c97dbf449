"""Pages over the first and the last day of the calendar, and over what PostgreSQL has beyond them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import DateTime, MetaData, literal_column, update
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Freehold, Queries, Resource, anyone, system
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings
from freehold.testing import Stage, running
from freehold.testing.wire import ask

pytestmark = pytest.mark.anyio


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Era(Base):
    day: Mapped[date | None] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    local: Mapped[datetime] = mapped_column(DateTime(), index=True)


DAYS = ("-infinity", "0001-01-01", "0001-01-02", "2000-01-01", "9999-12-30", "9999-12-31", "infinity")
LAST = " 23:59:59.999999"


async def walk(stage: Stage, sort: str, **query: str) -> list[str]:
    """The ids on all pages of two rows each, to the end and back again."""
    found: list[str] = []
    for link in ("next", "prev"):
        asked, back = {"sort": sort, "limit": "2", **query}, list[str]()
        for _ in range(30):
            answer = await ask(stage.app, "GET", "/v1/eras", query=tuple(asked.items()))
            assert answer.status == 200, answer
            page = orjson.loads(answer.body)
            ids = [each["id"] for each in page["items"]]
            back = back + ids if link == "next" else ids + back
            cursor = page["next_cursor"] if link == "next" else previous(answer.headers)
            if cursor is None:
                break
            asked["cursor"] = cursor
        else:
            pytest.fail(f"sorted by {sort}, the list has no end: {back}")
        if link == "next":
            found, query = back, {**query, "cursor": asked.get("cursor", "")}
        else:
            assert back == found
    return found


def previous(headers: Any) -> str | None:
    links = dict(headers).get("link", "")
    marked = [part for part in links.split(",") if 'rel="prev"' in part]
    return marked[0].partition("cursor=")[2].partition("&")[0].partition(">")[0] if marked else None


@pytest.mark.parametrize("compiled", ["on", "off"])
async def test_every_row_at_the_ends_of_time_is_on_one_page(compiled: str, database_url: str, tmp_path: Path) -> None:
    eras = Resource(Era, access=Access(read=anyone), queries=Queries(sort=["day", "at", "local"]))
    given: Any = {"env": "test", "var_dir": tmp_path, "secret": "s" * 40, "compiled": compiled, "limits": "off"}
    app = Freehold(eras, settings=Settings(**given, database_url=database_url, log_level="error"))
    async with running(app) as stage:
        is_postgresql = app.database.dialect_name == "postgresql"
        days = DAYS if is_postgresql else DAYS[1:-1]
        for number in range(3):  # of each instant several rows, whose ids run across those of its neighbours
            for day in days if number % 2 else reversed(days):
                row = await stage.make(Era, day=date(2000, 1, 1), at=datetime.fromisoformat("2000-01-01T00:00Z"),
                                       local=datetime(2000, 1, 1))  # noqa: DTZ001  # fmt: skip
                async with app.database.writing(system("what no driver writes")) as unit:
                    await unit.session.execute(
                        update(Era).where(Era.id == row.id).values(**columns(day, is_postgresql))
                    )
        for sort in ("day", "-day", "at", "-at", "local", "-local"):
            seen = await walk(stage, sort)
            assert len(seen) == len(set(seen)) == 3 * len(days), sort


def columns(day: str, is_postgresql: bool) -> dict[str, Any]:
    instant = day if "inf" in day else f"{day}{LAST if day == '9999-12-31' else ' 00:00:00'}"
    if not is_postgresql:
        instant = instant if "." in instant else f"{instant}.000000"
        return {
            "day": literal_column(f"'{day}'"),
            "at": literal_column(f"'{instant}'"),
            "local": literal_column(f"'{instant}'"),
        }
    utc = instant if "inf" in day else f"{instant}+00"
    return {
        "day": literal_column(f"'{day}'::date"), "at": literal_column(f"'{utc}'::timestamptz"),
        "local": literal_column(f"'{instant}'::timestamp"),
    }  # fmt: skip
