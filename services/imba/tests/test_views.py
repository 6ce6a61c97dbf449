"""Views of listings: counted once for each look of others, whatever process served it, and lost only in a crash."""

from __future__ import annotations

import pytest

from freehold.testing import Stage

from ..views.crud import Views
from .world import Person, draft, listed

pytestmark = pytest.mark.anyio
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


async def figures(landlord: Person) -> tuple[int, list[int]]:
    """Views of the first listing, and by month where there were any."""
    found = (await landlord.get("/v1/dashboard")).json
    return found["properties"][0]["views"], [month["views"] for month in found["months"] if month["views"]]


async def flush(stage: Stage) -> None:
    await stage.database.parts[Views].flush(stage.database)


async def test_looks_of_others_count_and_no_own_or_staff_s_or_bots_or_lists(
    stage: Stage, landlord: Person, reviewer: Person, tenant: Person, anonymous: Person
) -> None:
    path = f"/v1/properties/{(await listed(landlord, reviewer))['id']}"
    for person in (tenant, anonymous, landlord, reviewer, anonymous):
        assert (await person.get(path, User_Agent=FIREFOX)).status == 200
    for agent in ("Mozilla/5.0 (compatible; Googlebot/2.1)", "curl/8.5.0", "Slackbot-LinkExpanding 1.0", ""):
        await anonymous.get(path, User_Agent=agent)
    await anonymous.get("/v1/properties", User_Agent=FIREFOX)
    await anonymous.call("HEAD", path, User_Agent=FIREFOX)
    await anonymous.get(f"{path}/availability", User_Agent=FIREFOX)
    await flush(stage)
    assert await figures(landlord) == (3, [3])


async def test_a_look_that_is_answered_304_counts_and_one_that_is_404_does_not(
    stage: Stage, landlord: Person, other_landlord: Person, reviewer: Person, tenant: Person
) -> None:
    path = f"/v1/properties/{(await listed(landlord, reviewer))['id']}"
    tag = (await tenant.get(path, User_Agent=FIREFOX)).headers["etag"]
    assert (await tenant.get(path, User_Agent=FIREFOX, If_None_Match=tag)).status == 304
    hidden = (await draft(other_landlord))["id"]
    assert (await tenant.get(f"/v1/properties/{hidden}", User_Agent=FIREFOX)).status == 404
    await flush(stage)
    assert await figures(landlord) == (2, [2])
    assert (await figures(other_landlord)) == (0, [])


async def test_each_flush_adds_to_what_was_written_and_a_look_costs_no_statement(
    stage: Stage, landlord: Person, reviewer: Person, tenant: Person
) -> None:
    path = f"/v1/properties/{(await listed(landlord, reviewer))['id']}"
    for _ in range(3):
        await tenant.get(path, User_Agent=FIREFOX)
        await flush(stage)
    await flush(stage)
    assert await figures(landlord) == (3, [3])
    stage.statements.clear()
    await tenant.get(path, User_Agent=FIREFOX)
    assert not [each for each in stage.statements if "property_views" in str(each)]
