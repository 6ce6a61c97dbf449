"""How properties are asked for: filters, order, words and places of `GET /v1/properties`."""

from __future__ import annotations

from typing import Any

import pytest

from .world import Person, day, draft, listed, reserved

pytestmark = pytest.mark.anyio

SEATTLE = {"latitude": 47.6097, "longitude": -122.3331}
TACOMA = {"latitude": 47.2529, "longitude": -122.4443}

ASKED = [
    ("city=Seattle", ["Bakery", "Attic"]),
    ("city__contains=TACO", ["Cabin"]),
    ("kind=apartment", ["Attic"]),
    ("bedrooms=3", ["Cabin"]),
    ("bedrooms__gte=3", ["海辺の家", "Cabin"]),
    ("bathrooms__gte=1.75", ["海辺の家", "Cabin"]),
    ("price_amount__gte=30000&price_amount__lte=300000", ["Cabin", "Bakery"]),
    ("price_currency=JPY", ["海辺の家"]),
    ("price_per=month", ["Bakery"]),
    ("postcode=98101", ["Attic"]),
    ("country=JP", ["海辺の家"]),
    ("sort=price_amount", ["Attic", "Cabin", "Bakery", "海辺の家"]),
    ("sort=-bedrooms&limit=2", ["海辺の家", "Cabin"]),
    ("sort=floor_area_sqm", ["Attic", "Cabin", "Bakery", "海辺の家"]),
    ("q=sauna", ["Cabin"]),
    ("q=tacoma%20lake", ["Cabin"]),
    ("q=海辺", ["海辺の家"]),
    ("q=神戸", ["海辺の家"]),
    ("q=nowhere", []),
    ("near=47.61,-122.33&within_km=5", ["Bakery", "Attic"]),
    ("near=47.3,-122.4&within_km=100&sort=distance&kind=house", ["Cabin"]),
    ("bbox=-122.5,47.2,-122.4,47.3", ["Cabin"]),
    ("bbox=130,30,140,40", ["海辺の家"]),
]

REFUSED = [
    "colour=red",
    "sort=title",
    "bedrooms=two",
    "status=gone",
    "near=91,0",
    "bbox=1,2,3",
    "available_from=2026-02-01",
    "available_to=2026-02-01",
    "available_from=2026-02-03&available_to=2026-02-01",
    "limit=0",
    "limit=101",
    "deleted_at__isnull=true",
    "available_from=soon&available_to=later",
]


async def titles(person: Person, query: str) -> list[str]:
    answer = await person.get(f"/v1/properties?{query}")
    assert answer.status == 200, answer.text
    return [item["title"] for item in answer.json["items"]]


@pytest.fixture
async def town(landlord: Person, reviewer: Person) -> None:
    """Four listed properties and a draft."""
    offers: list[dict[str, Any]] = [
        {
            "title": "Attic",
            "kind": "apartment",
            "city": "Seattle",
            "bedrooms": 1,
            "bathrooms": 1,
            "price_amount": 9000,
            "floor_area_sqm": 31.5,
            "postcode": "98101",
            **SEATTLE,
        },
        {
            "title": "Bakery",
            "kind": "office",
            "city": "Seattle",
            "bedrooms": 0,
            "bathrooms": 0.5,
            "price_amount": 250000,
            "price_per": "month",
            "floor_area_sqm": 120,
            **SEATTLE,
        },
        {
            "title": "Cabin",
            "city": "Tacoma",
            "bedrooms": 3,
            "bathrooms": 1.75,
            "price_amount": 30000,
            "floor_area_sqm": 90,
            "description": "Sauna by the lake",
            **TACOMA,
        },
        {
            "title": "海辺の家",
            "city": "神戸",
            "country": "JP",
            "bedrooms": 4,
            "bathrooms": 2,
            "price_amount": 2200000,
            "price_currency": "JPY",
            "floor_area_sqm": 140,
            "latitude": 34.69,
            "longitude": 135.19,
        },
    ]
    for offer in offers:
        await listed(landlord, reviewer, **offer)
    await draft(landlord, title="Draft", city="Seattle")


class TestList:
    async def test_the_newest_first_and_no_drafts(self, town: None, anonymous: Person) -> None:
        assert await titles(anonymous, "") == ["海辺の家", "Cabin", "Bakery", "Attic"]

    async def test_a_landlord_also_sees_own_drafts_and_staff_all(
        self, town: None, landlord: Person, other_landlord: Person, reviewer: Person
    ) -> None:
        assert await titles(landlord, "status=draft") == ["Draft"]
        assert await titles(reviewer, "status=draft") == ["Draft"]
        assert await titles(other_landlord, "status=draft") == []
        assert "Draft" in await titles(landlord, "")

    async def test_what_can_be_asked(self, town: None, anonymous: Person) -> None:
        for query, expected in ASKED:
            found = await titles(anonymous, query)
            # By words the best comes first, and by place in no order unless one is asked for.
            is_ordered = "near" not in query and "q=" not in query
            assert (found if is_ordered else sorted(found)) == (expected if is_ordered else sorted(expected)), query

    async def test_nearest_first(self, town: None, anonymous: Person) -> None:
        found = await titles(anonymous, "near=47.26,-122.44&within_km=200&sort=distance")
        assert found[0] == "Cabin"
        assert sorted(found) == ["Attic", "Bakery", "Cabin"]

    async def test_of_one_landlord(
        self, town: None, anonymous: Person, landlord: Person, other_landlord: Person
    ) -> None:
        assert len(await titles(anonymous, f"landlord_id={landlord.id}")) == 4
        assert await titles(anonymous, f"landlord_id={other_landlord.id}") == []

    async def test_what_cannot_be_asked_is_refused(self, anonymous: Person) -> None:
        for query in REFUSED:
            assert (await anonymous.get(f"/v1/properties?{query}")).status == 422, query

    async def test_pages_hold_every_row_once(self, town: None, anonymous: Person) -> None:
        seen: list[str] = []
        path = "/v1/properties?sort=price_amount&limit=1"
        while path:
            page = await anonymous.get(path)
            seen += [item["title"] for item in page.json["items"]]
            cursor = page.json["next_cursor"]
            path = f"/v1/properties?sort=price_amount&limit=1&cursor={cursor}" if cursor else ""
        assert seen == ["Attic", "Cabin", "Bakery", "海辺の家"]


class TestFreeDates:
    async def test_only_what_is_free_on_every_night(self, town: None, anonymous: Person, tenant: Person) -> None:
        attic = (await anonymous.get("/v1/properties?kind=apartment")).json["items"][0]["id"]
        await reserved(tenant, attic, 10, 13)

        async def free(since: int, until: int) -> bool:
            return "Attic" in await titles(anonymous, f"available_from={day(since)}&available_to={day(until)}")

        assert not await free(9, 11)
        assert not await free(11, 12)
        assert not await free(12, 20)
        assert not await free(1, 40)
        assert await free(7, 10)
        assert await free(13, 15)

    async def test_an_outsider_is_told_the_same_as_the_guest(
        self, town: None, anonymous: Person, tenant: Person
    ) -> None:
        attic = (await anonymous.get("/v1/properties?kind=apartment")).json["items"][0]["id"]
        await reserved(tenant, attic, 10, 13)
        query = f"available_from={day(10)}&available_to={day(13)}"
        assert await titles(anonymous, query) == await titles(tenant, query)


class TestSearch:
    async def test_the_best_come_first_and_words_can_be_left_out(
        self, landlord: Person, reviewer: Person, anonymous: Person
    ) -> None:
        for title, description in (
            ("Sea view", "Old"),
            ("The house", "With a sea view"),
            ("House, sea view", ""),
            ("View of the sea", "Garden"),
        ):
            await listed(landlord, reviewer, title=title, description=description)
        assert await titles(anonymous, "q=sea%20view") == [
            "Sea view", "House, sea view", "View of the sea", "The house",
        ]  # fmt: skip
        assert await titles(anonymous, "q=%22sea%20view%22") == ["Sea view", "House, sea view", "The house"]
        assert await titles(anonymous, "q=sea%20-house%20-garden") == ["Sea view"]
        assert await titles(anonymous, "q=sea&sort=price_amount,-created_at&limit=1") == ["View of the sea"]
        assert (await anonymous.get("/v1/properties?sort=relevance")).pointers == ["sort"]

    async def test_facets_count_what_the_caller_may_see(self, town: None, anonymous: Person, landlord: Person) -> None:
        path = "/v1/properties?facets=city,kind,price_amount&city=Seattle&price_amount__lte=30000"
        found = (await anonymous.get(path)).json
        assert [item["title"] for item in found["items"]] == ["Attic"]
        assert found["facets"]["city"] == {
            "values": [{"value": "Seattle", "count": 1}, {"value": "Tacoma", "count": 1}], "others": 0,
        }  # fmt: skip
        assert found["facets"]["kind"]["values"] == [{"value": "apartment", "count": 1}]
        ranges = [each for each in found["facets"]["price_amount"]["values"] if each["count"]]
        assert ranges == [
            {"from": 5000, "to": 10000, "count": 1},
            {"from": 250000, "to": 500000, "count": 1},
        ]
        own = (await landlord.get("/v1/properties?facets=city")).json["facets"]["city"]["values"]
        assert own[0] == {"value": "Seattle", "count": 3}, "with the draft"
