"""`GET /v1/dashboard`: a landlord's figures."""

from __future__ import annotations

from typing import Any

import pytest

from freehold.testing import Clock, Stage

from ..views.crud import Views
from .world import Json, Person, draft, listed, reserved

pytestmark = pytest.mark.anyio
PATH = "/v1/dashboard"


async def confirmed(tenant: Person, landlord: Person, home: str, arrival: int, departure: int) -> Json:
    held = await reserved(tenant, home, arrival, departure)
    return await landlord.made(f"/v1/reservations/{held['id']}/confirmation")


async def test_nights_income_and_requests(
    landlord: Person, other_landlord: Person, reviewer: Person, tenant: Person, other_tenant: Person, clock: Clock
) -> None:
    """Today is 5 January 2026; 145 USD and 100 EUR a night."""
    cottage = (await listed(landlord, reviewer))["id"]
    barn = (await listed(landlord, reviewer, title="Barn", price_amount=10000, price_currency="EUR"))["id"]
    land = (await draft(landlord, title="Meadow", kind="land", price_per="sale"))["id"]
    theirs = (await listed(other_landlord, reviewer))["id"]
    await confirmed(tenant, landlord, cottage, 24, 29)  # 29 January to 3 February
    await confirmed(other_tenant, landlord, barn, 10, 12)
    await confirmed(tenant, other_landlord, theirs, 10, 20)
    pending = await reserved(tenant, cottage, 40, 43)
    given_up = await confirmed(tenant, landlord, cottage, 60, 61)
    await tenant.made(f"/v1/reservations/{given_up['id']}/cancellation")
    visit = {"kind": "visit", "property_id": cottage, "starts_at": "2026-01-08T10:00:00Z"}
    await tenant.made("/v1/reservations", visit)
    for person in (tenant, other_tenant):
        await person.put(f"/v1/properties/{cottage}/favourite")
    await tenant.made("/v1/threads", {"property_id": cottage, "text": "Is the street quiet?"})

    answer = await landlord.get(f"{PATH}?from=2026-01-01&to=2026-04-01")
    assert answer.status == 200, answer.text
    found = answer.json
    assert [(m["start"], m["nights"], m["nights_offered"]) for m in found["months"]] == [
        ("2026-01-01", 3 + 2, 62),
        ("2026-02-01", 2, 56),
        ("2026-03-01", 0, 62),
    ]
    assert [month["occupancy"] for month in found["months"]] == [0.0806, 0.0357, 0.0]
    january = [{"currency": "EUR", "amount": 20000}, {"currency": "USD", "amount": 5 * 14500}]
    assert [month["income"] for month in found["months"]] == [january, [], []]
    assert (found["pending_requests"], found["unread_messages"]) == (2, 1)
    by_title = {each["title"]: each for each in found["properties"]}
    assert by_title.keys() == {"Lighthouse keeper's cottage", "Barn", "Meadow"}
    about = by_title["Lighthouse keeper's cottage"]
    assert (about["property_id"], about["nights"], about["occupancy"]) == (cottage, 5, 0.0556)
    assert (about["requests"], about["confirmed"], about["conversion"]) == (3, 1, 0.3333)
    assert (about["visits"], about["pending"], about["favourites"], about["rating_count"]) == (1, 2, 2, 0)
    assert (by_title["Barn"]["conversion"], by_title["Meadow"]["conversion"]) == (1.0, None)
    assert by_title["Meadow"]["property_id"] == land

    await landlord.made(f"/v1/reservations/{pending['id']}/rejection", {"reason": "The roof leaks."})
    await landlord.delete(f"/v1/properties/{barn}")
    later = (await landlord.get(f"{PATH}?from=2026-01-15&to=2026-02-02")).json
    assert [(m["start"], m["end"], m["nights"]) for m in later["months"]] == [
        ("2026-01-15", "2026-02-01", 3 + 2),
        ("2026-02-01", "2026-02-02", 1),
    ]
    assert later["pending_requests"] == 1
    assert [each["property_id"] for each in later["properties"]] == [cottage, land], "what is deleted is not listed"
    assert later["months"][0]["income"] == january, "and what it brought in stays"


async def test_what_a_cancelled_stay_leaves_is_income(
    landlord: Person, reviewer: Person, tenant: Person, clock: Clock
) -> None:
    home = (await listed(landlord, reviewer))["id"]
    await landlord.put(f"/v1/properties/{home}/booking-terms", {"cancellation": "strict"})
    booked = await confirmed(tenant, landlord, home, 1, 4)
    cancelled = await tenant.made(f"/v1/reservations/{booked['id']}/cancellation")
    kept = cancelled["total_amount"] - cancelled["refund_amount"]
    assert kept > 0
    (month, *_) = (await landlord.get(f"{PATH}?from=2026-01-01&to=2026-02-01")).json["months"]
    assert (month["nights"], month["income"]) == (0, [{"currency": "USD", "amount": kept}])


async def test_own_figures_in_few_statements(
    stage: Stage, landlord: Person, other_landlord: Person, renting_landlord: Person, reviewer: Person, tenant: Person,
    anonymous: Person,
) -> None:  # fmt: skip
    for offset in range(3):
        home = (await listed(landlord, reviewer))["id"]
        await confirmed(tenant, landlord, home, 10 + offset, 14)
    rented = await reserved(renting_landlord, home, 20, 22)
    await landlord.made(f"/v1/reservations/{rented['id']}/confirmation")
    empty = (await other_landlord.get(PATH)).json
    assert (empty["properties"], {month["nights"] for month in empty["months"]}) == ([], {0})
    assert len(empty["months"]) == 12
    assert empty["months"][0]["occupancy"] is None
    own = (await renting_landlord.get(f"{PATH}?from=2026-01-01&to=2026-02-01")).json
    assert (own["months"][0]["nights"], own["months"][0]["income"]) == (0, []), "what one rents is nobody's income"
    await stage.database.parts[Views].flush(
        stage.database
    )  # or it is written, and counted, when its five seconds are over
    with stage.budget(9):
        found = (await landlord.get(f"{PATH}?from=2025-01-01&to=2026-12-31")).json
    assert len(found["months"]) == 24
    assert sum(month["nights"] for month in found["months"]) == 4 + 3 + 2 + 2
    assert (await anonymous.get(PATH)).status == 401
    for other in (tenant, reviewer):
        assert (await other.get(PATH)).status == 403


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-01-01&to=2026-01-01",
        "from=2020-01-01&to=2026-01-01",
        "from=soon",
        "since=2026-01-01",
        "from=9999-12-01",
    ],
)
async def test_bad_input(landlord: Person, query: str) -> None:
    answer: Any = await landlord.get(f"{PATH}?{query}")
    assert answer.status == 422, answer.text
