"""The history of the schema: it leads to what is declared, on both databases, with what was there, and back."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Text, column, insert, table
from sqlalchemy.ext.asyncio import create_async_engine

from freehold.fields import new_id
from freehold.store import migrate
from freehold.testing import Clock, opened

from .. import service
from ..service import build
from .conftest import core
from .world import Json, stay

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[3]
FIRST = "0d8c3ce3ab33"
BORN: Json = {"created_at": datetime(2026, 1, 2, tzinfo=UTC), "updated_at": datetime(2026, 1, 2, tzinfo=UTC)}
LANDLORD, TENANT, HOME, STAY = (new_id() for _ in range(4))


def rows_of_the_first_days() -> list[tuple[str, list[Json]]]:
    """A row in each table, as the first revision knew them."""
    people = [
        {"account": account, "email": f"{account}@imba.example", "email_key": f"{account}@imba.example", "id": key}
        | {"full_name": account.title(), "roles": [account], "is_active": True}
        for account, key in (("landlord", LANDLORD), ("tenant", TENANT))
    ]
    home = {
        "id": HOME,
        "landlord_id": LANDLORD,
        "status": "listed",
        "title": "Cottage",
        "description": "",
        "kind": "house",
    }
    home |= {"city": "Anacortes", "region": "", "postcode": "", "country": "US", "bedrooms": 2, "bathrooms": 1.5}
    home |= {"price_amount": 100, "price_currency": "USD", "price_per": "night", "amenities": ["stove"]}
    home |= {"city_key": "anacortes", "search": "cottage anacortes"}
    booked = {"id": STAY, "kind": "stay", "status": "confirmed", "property_id": HOME, "tenant_id": TENANT, "guests": 2}
    booked |= {"check_in": date(2026, 1, 15), "check_out": date(2026, 1, 18), "total_amount": 300, "currency": "USD"}
    request = {"id": new_id(), "landlord_id": LANDLORD, "subject": "identity", "subject_id": LANDLORD}
    request |= {"document_ids": [], "status": "approved", "reviewer_id": None, "decided_at": BORN["created_at"]}
    found = [
        ("users", people),
        ("properties", [home]),
        ("reservations", [booked]),
        ("verification_requests", [request]),
    ]
    return [(table, [BORN | {"row_version": 1} | row for row in rows]) for table, rows in found]


async def fill(url: str, app: Any) -> None:
    """Write those rows past the application, which is too new for them."""
    declared = next(each.tables for each in app.all_metadata if "properties" in each.tables)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for name, rows in rows_of_the_first_days():
            types = {key: declared[name].c[key].type for key in rows[0]} | {"search": Text()}
            known = table(name, *(column(key, types[key]) for key in rows[0]))
            await connection.execute(insert(known), rows)
    await engine.dispose()


@pytest.mark.long
async def test_the_history_leads_to_the_declarations_with_what_was_there(
    own_url: str, tmp_path: Path, clock: Clock
) -> None:
    app = build(core=core(own_url, tmp_path), migrations=None)
    folder, rules = Path(service.__file__).parent / "migrations", app.database.registry
    history = migrate.Migrations(folder, own_url, app.all_metadata, rules=rules)
    await migrate.up(history, FIRST, say=str)
    await fill(own_url, app)
    await migrate.up(history, say=str)
    assert _checked(own_url, tmp_path) == "database, history and declarations agree\n"
    await _is_served(app)
    await migrate.down(history, say=str)


def _checked(url: str, folder: Path) -> str:
    """What `freehold migrate check` says, in a process of its own: this one knows the tables of other tests, too."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("FREEHOLD_", "IMBA_"))}
    environ |= {"FREEHOLD_DATABASE_URL": url, "FREEHOLD_VAR_DIR": str(folder)}
    command = [sys.executable, "-m", "freehold.cli", "migrate", "check", "--app", "services.imba.app:app"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


async def _is_served(app: Any) -> None:
    """What was booked is as it was, and its nights are taken."""
    async with opened(app) as house, house.stage() as stage:
        tenant = stage.as_user(id=TENANT, roles=("tenant",))
        booked = (await tenant.get(f"/v1/reservations/{STAY}")).json()
        assert (booked["starts_at"], booked["ends_at"]) == ("2026-01-15T15:00:00Z", "2026-01-18T11:00:00Z")
        assert [(line["kind"], line["amount"]) for line in booked["price_lines"]] == [("nights", 300)]
        found = (await tenant.get("/v1/properties?q=cottage&available_from=2026-01-18&available_to=2026-01-20")).json()
        assert [row["id"] for row in found["items"]] == [str(HOME)]
        again = {"check_in": "2026-01-17", "check_out": "2026-01-19"}
        taken = await tenant.post("/v1/reservations", json=stay(str(HOME), **again))
        assert taken.json()["code"] == "imba.dates_taken"
