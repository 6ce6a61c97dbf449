"""Demo data: real, reported where odd, loaded once, and never in production."""

from __future__ import annotations

import io

import pytest
import pyvips
from rich.console import Console
from sqlalchemy import func, select

from freehold import system
from freehold.errors import ConfigurationError
from freehold.testing.stage import Stage

from .. import demo, demo_photos, demo_social, homes
from ..homes import Home, OddRow
from ..properties.models import Property
from ..settings import ImbaSettings
from .world import Person, stay

pytestmark = pytest.mark.anyio


async def count(stage: Stage) -> int:
    async with stage.database.reading(system("count")) as session:
        return (await session.execute(select(func.count()).select_from(Property))).scalar_one()


class TestHomes:
    def test_every_row_is_a_home_or_has_a_reason(self) -> None:
        found = list(homes.read(nightly=200))
        odd = [row for row in found if isinstance(row, OddRow)]
        good = [row for row in found if isinstance(row, Home)]
        assert len(found) == homes.ROWS
        assert (len(good), len(odd)) == (21_413, 195)
        assert sum(home.draft.price_per == "night" for home in good) == 200
        assert len({home.draft.city for home in good}) == 30
        reasons = demo.report(odd)
        assert any("33 bedrooms in 151 square metres" in reason for reason in reasons)
        assert any("sold twice" in reason for reason in reasons)
        assert any("no bathroom" in reason for reason in reasons)
        assert not any("unknown ZIP" in reason for reason in reasons)


class TestPhotos:
    def test_are_drawn_from_what_a_listing_says(self) -> None:
        plain = {"latitude": 47.5, "longitude": -122.2, "year_built": 1955, "city": "Kent", "bedrooms": 3,
                 "bathrooms": 1.5, "floor_area_sqm": 120, "amenities": []}  # fmt: skip
        street, plan = demo_photos.drawings(plain)
        assert [street, plan] == list(demo_photos.drawings(plain)), "the same listing, the same pictures"
        assert street.alt_text == "A drawing of the house in Kent, built in 1955"
        assert "3 of them bedrooms" in plan.alt_text
        other, _ = demo_photos.drawings({**plain, "amenities": ["view", "waterfront"]})
        assert other.svg != street.svg
        for each in (street, plan, other):
            picture = pyvips.Image.new_from_buffer(demo_photos.jpeg(each), "")
            assert (picture.width, picture.height) == (960, 640)


class TestLoad:
    async def test_once(self, stage: Stage, anonymous: Person) -> None:
        said = io.StringIO()
        await demo.load(stage.database, console=Console(file=said, width=200))
        assert await count(stage) == 2_000
        assert "Left out" in said.getvalue()
        drawn = (await anonymous.get("/v1/media?count=true&limit=1")).json
        assert drawn["total"] == 2 * demo.WITH_PHOTOS
        assert drawn["items"][0]["alt_text"].startswith("A drawing of the ")
        await demo.load(stage.database, console=Console(file=said, width=200))
        assert await count(stage) == 2_000
        page = await anonymous.get("/v1/properties?count=true")
        assert (page.status, page.json["total"]) == (200, 2_000)

    async def test_its_people_log_in_and_can_book(self, stage: Stage, anonymous: Person) -> None:
        await demo.load(stage.database, console=Console(file=io.StringIO()))
        for account in demo.ACCOUNTS:
            form = {"grant_type": "password", "username": account.email, "password": demo.PASSWORD}
            assert (await anonymous.client.post("/v1/auth/token", data=form)).status_code == 200
        form["username"] = demo.TENANT.email
        token = (await anonymous.client.post("/v1/auth/token", data=form)).json()["access_token"]
        nightly = (await anonymous.get("/v1/properties?price_per=night&sort=price_amount")).json["items"]
        booked = await anonymous.post(
            "/v1/reservations", stay(nightly[0]["id"], 60, 62), Authorization=f"Bearer {token}"
        )
        assert booked.status == 201, booked.text
        kept = (await anonymous.get("/v1/favourites?expand=property", Authorization=f"Bearer {token}")).json["items"]
        assert [each["property"]["status"] for each in kept] == ["listed"] * demo_social.FAVOURITES
        reviewed = (await anonymous.get("/v1/properties?rating_average__gte=5")).json["items"]
        assert [(each["rating_count"], each["rating_average"]) for each in reviewed] == [(1, 5.0)]
        (review,) = (await anonymous.get(f"/v1/properties/{reviewed[0]['id']}/reviews")).json["items"]
        assert (review["author_name"], review["answer"]) == ("Wen", "Come again!")

    async def test_is_refused_in_production(self, stage: Stage) -> None:
        stage.database.parts[ImbaSettings] = ImbaSettings(env="production")
        with pytest.raises(ConfigurationError, match="DEMO"):
            await demo.load(stage.database)
        assert await count(stage) == 0
