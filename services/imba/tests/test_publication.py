"""`PUT` and `DELETE /v1/properties/{id}/publication`."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from freehold.testing import Stage

from ..service import build
from ..settings import ImbaSettings
from .conftest import core
from .world import Person, draft, listed, verified

pytestmark = pytest.mark.anyio


class TestPublish:
    async def test_needs_both_verifications(self, landlord: Person, reviewer: Person) -> None:
        home = await draft(landlord)
        path = f"/v1/properties/{home['id']}/publication"
        refused = await landlord.put(path)
        assert (refused.status, refused.code) == (409, "imba.not_verified")
        asked = await landlord.made("/v1/verification-requests", {"subject": "property", "property_id": home["id"]})
        await reviewer.made(f"/v1/verification-requests/{asked['id']}/approval")
        refused = await landlord.put(path)
        assert (refused.status, refused.code) == (409, "imba.not_verified")
        assert "identity" in refused.json["detail"]
        assert "property" not in refused.json["detail"]
        asked = await landlord.made("/v1/verification-requests", {"subject": "identity"})
        assert (await landlord.put(path)).status == 409
        await reviewer.made(f"/v1/verification-requests/{asked['id']}/approval")
        published = await landlord.put(path)
        assert (published.status, published.json["status"]) == (200, "listed")

    async def test_one_property_s_verification_is_no_other_s(self, landlord: Person, reviewer: Person) -> None:
        await listed(landlord, reviewer)
        second = await draft(landlord)
        assert (await landlord.put(f"/v1/properties/{second['id']}/publication")).code == "imba.not_verified"

    async def test_twice_is_once(self, landlord: Person, reviewer: Person) -> None:
        home = await listed(landlord, reviewer)
        again = await landlord.put(f"/v1/properties/{home['id']}/publication")
        assert (again.status, again.json["status"]) == (200, "listed")

    async def test_is_its_landlord_s_alone(
        self, landlord: Person, other_landlord: Person, reviewer: Person, admin: Person, anonymous: Person
    ) -> None:
        home = await draft(landlord)
        await verified(landlord, reviewer, home["id"])
        path = f"/v1/properties/{home['id']}/publication"
        assert (await anonymous.put(path)).status == 401
        assert (await other_landlord.put(path)).status == 404
        assert (await reviewer.put(path)).status == 403
        assert (await admin.put(path)).status == 403
        assert (await landlord.get(f"/v1/properties/{home['id']}")).json["status"] == "draft"


class TestUnpublish:
    async def test_takes_it_off_the_market(self, landlord: Person, reviewer: Person, anonymous: Person) -> None:
        home = await listed(landlord, reviewer)
        path = f"/v1/properties/{home['id']}"
        gone = await landlord.delete(f"{path}/publication")
        assert (gone.status, gone.text) == (204, "")
        assert (await anonymous.get(path)).status == 404
        assert (await landlord.get(path)).json["status"] == "unlisted"
        assert (await landlord.put(f"{path}/publication")).json["status"] == "listed"

    async def test_is_its_landlord_s_alone(
        self, landlord: Person, other_landlord: Person, reviewer: Person, anonymous: Person
    ) -> None:
        home = await listed(landlord, reviewer)
        path = f"/v1/properties/{home['id']}/publication"
        assert (await anonymous.delete(path)).status == 401
        assert (await other_landlord.delete(path)).status == 403
        assert (await reviewer.delete(path)).status == 403

    async def test_a_draft_stays_a_draft(self, landlord: Person) -> None:
        home = await draft(landlord)
        assert (await landlord.delete(f"/v1/properties/{home['id']}/publication")).status == 204
        assert (await landlord.get(f"/v1/properties/{home['id']}")).json["status"] == "draft"


class TestVerifiedEmail:
    async def test_is_asked_for_where_the_settings_say_so(
        self, require_verified_email: None, landlord: Person, reviewer: Person
    ) -> None:
        home = await draft(landlord)
        await verified(landlord, reviewer, home["id"])
        refused = await landlord.put(f"/v1/properties/{home['id']}/publication")
        assert (refused.status, refused.code) == (403, "imba.email_not_verified")


class TestSecondFactor:
    async def test_is_asked_of_who_publishes_where_the_settings_say_so(
        self, stage: Stage, require_factor: None, landlord: Person, reviewer: Person
    ) -> None:
        home = await draft(landlord)
        await verified(landlord, reviewer, home["id"])
        refused = await landlord.put(f"/v1/properties/{home['id']}/publication")
        assert (refused.status, refused.code) == (401, "auth.insufficient_user_authentication")
        assert refused.json["acr_values"] == "aal2"
        strong = Person(stage.as_user(id=UUID(landlord.id), roles=["landlord"], amr=["pwd", "mfa"]))
        assert (await strong.put(f"/v1/properties/{home['id']}/publication")).status == 200

    @pytest.mark.parametrize(("env", "asked"), [("production", {"reviewer", "admin"}), ("development", set())])
    def test_is_asked_of_reviewers_in_production(self, tmp_path: Path, env: str, asked: set[str]) -> None:
        own = ImbaSettings.load({"FREEHOLD_ENV": env})
        app = build(core=core(f"sqlite+aiosqlite:///{tmp_path}/imba.db", tmp_path), own=own, migrations=None)
        assert app.identity is not None
        assert set(app.identity.factor_required_for) == asked
