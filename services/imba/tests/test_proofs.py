"""Nobody learns what is not theirs: Imba's own seed, and the proofs that Freehold generates from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from freehold import Conflict, Db, Principal, Router, allow, anyone, owner, role, signed_in, where
from freehold.fields import now
from freehold.testing import Interference, Scene, Stage, access_table, every_route_has_a_rule, non_interference
from services.imba.properties.models import Property
from services.imba.properties.routes import IS_THERE, LANDLORD, properties
from services.imba.reservations.models import Reservation
from services.imba.reservations.routes import TENANT, reservations
from services.imba.service import build
from services.imba.settings import ImbaSettings
from services.imba.tests.conftest import core
from services.imba.users.models import User
from services.imba.verification.models import VerificationRequest
from services.imba.verification.routes import STAFF, verification_requests

pytestmark = pytest.mark.anyio

PLACE: dict[str, Any] = {
    "kind": "house", "city": "Anacortes", "country": "US", "latitude": 48.5, "longitude": -122.6, "bedrooms": 2,
    "price_amount": 14500, "price_currency": "USD", "price_per": "night",
}  # fmt: skip
BODIES = {
    "reservation_rejection": {"reason": "no"},
    "verification_request_rejection": {"reason": "no"},
    "verification_request_revocation": {"reason": "no"},
}


async def seed(stage: Stage) -> Scene:
    """A tenant, two landlords, staff; a listed house, a draft, stays and checks."""
    people: dict[str, Principal] = {}
    for number, (name, roles) in enumerate(
        {"tenant": ["tenant"], "other": ["tenant"], "landlord": ["landlord"], "rival": ["landlord"], "reviewer": ["reviewer"],
         "admin": ["admin"], "stranger": []}.items(), 1
    ):  # fmt: skip
        user = await stage.make(
            User,
            id=UUID(int=number),
            email=f"{name}@x.example",
            email_key=f"{name}@x.example",
            roles=roles,
            account=None,
            full_name=name.title(),
        )
        people[name] = Principal(id=user.id, roles=frozenset(roles))
    ids = {name: principal.id for name, principal in people.items()}
    listed = await stage.make(
        Property, landlord_id=ids["landlord"], title="Lighthouse", description="Tidal", status="listed", **PLACE
    )
    draft = await stage.make(
        Property, landlord_id=ids["landlord"], title="Secret cellar", description="Damp", **{**PLACE, "city": "Lopez"}
    )
    day = now().date()

    async def stay(tenant: str, place: Property, after: int, **more: Any) -> Reservation:
        return await stage.make(
            Reservation, tenant_id=ids[tenant], property_id=place.id, check_in=day + timedelta(after),
            check_out=day + timedelta(after + 3), guests=2, total_amount=1000 + after, currency="USD",
            expires_at=now() + timedelta(days=1), **more,
        )  # fmt: skip

    await stay("tenant", listed, 10)
    theirs = await stay("other", listed, 20, reason="their reason")
    check = await stage.make(
        VerificationRequest, landlord_id=ids["landlord"], subject="property", subject_id=draft.id, property_id=draft.id
    )
    done = await stage.make(
        VerificationRequest,
        landlord_id=ids["landlord"],
        subject="identity",
        subject_id=ids["landlord"],
        status="approved",
        reviewer_id=ids["reviewer"],
    )
    return Scene(
        callers=people,
        secrets={
            "tenant": [draft, check, done, theirs],
            "rival": [draft, check, done, theirs],
            "nobody": [draft, check, done, theirs],
            "reviewer": [theirs],
        },
        cells={"landlord": [(done, "reviewer_id")]},
    )


def imba(folder: Path) -> Any:
    return build(core=core(f"sqlite+aiosqlite:///{folder}/imba.db", folder), own=ImbaSettings(), migrations=None)


async def test_Z03_nobody_learns_what_is_not_theirs(tmp_path: Path) -> None:
    done = await non_interference(imba(tmp_path), seed, bodies=BODIES)
    assert done.requests > 700
    assert done.statuses[409] > 0, "taken dates are a public fact, and were met"


async def test_Z01_every_operation_answers_as_declared(tmp_path: Path) -> None:
    lines = await access_table(imba(tmp_path), seed, bodies=BODIES, may_refuse=["create_reservation"])
    assert len(lines) > 350


def test_Z01_every_route_has_a_rule(tmp_path: Path) -> None:
    assert every_route_has_a_rule(imba(tmp_path))


def loosened(resource: Any, **access: Any) -> Any:
    """Plant another access rule."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(resource, "access", replace(resource.access, **access))

    return plant


def counting(patch: pytest.MonkeyPatch) -> None:
    """Plant a figure on the landing page that counts everything."""
    router = Router(prefix="/v1/figures")

    @router.get("", dependencies=[allow(anyone)])
    async def figures(db: Db) -> int:
        async with db.unscoped("a planted fault") as everything:
            return int(await everything.scalar(select(func.count()).select_from(Property)) or 0)

    patch.setattr("services.imba.landing.router", router)


def naming(patch: pytest.MonkeyPatch) -> None:
    """Plant a refusal that names who is in the way."""

    async def reserve(db: Any, actor: Any, draft: Any) -> Any:
        async with db.unscoped("a planted fault") as everything:
            other = await everything.scalar(select(Reservation.reason).where(Reservation.reason.is_not(None)))
        raise Conflict(f"Not while there is {other!r}.")

    patch.setattr(reservations, "create", reserve)


FAULTS: dict[str, Any] = {
    "drafts are shown to all": loosened(properties, read=IS_THERE),
    "drafts are shown to those signed in": loosened(properties, read=properties.access.read | signed_in),
    "drafts are shown to landlords": loosened(properties, read=properties.access.read | role("landlord")),
    "the owner is turned round": loosened(properties, read=properties.access.read | ~LANDLORD),
    "unlisted counts as listed": loosened(properties, read=properties.access.read | where(Property.status != "listed")),
    "stays are shown to all": loosened(reservations, read=anyone),
    "stays are shown to tenants": loosened(reservations, read=reservations.access.read | role("tenant")),
    "stays are shown to reviewers": loosened(reservations, read=reservations.access.read | role("reviewer")),
    "stays are shown to whom they are not": loosened(reservations, read=~TENANT),
    "checks are shown to landlords": loosened(
        verification_requests, read=owner("landlord_id") | role("landlord") | STAFF
    ),
    "checks are shown once done": loosened(
        verification_requests, read=owner("landlord_id") | STAFF | where(VerificationRequest.status == "approved")
    ),
    "the reviewer is shown to the landlord": loosened(verification_requests, read_fields={}),
    "a figure counts everything": counting,
    "a refusal names another's stay": naming,
}


@pytest.mark.proof
@pytest.mark.parametrize("name", FAULTS)
async def test_Z03_a_weakened_copy_is_caught(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[name](monkeypatch)
    with pytest.raises(Interference):
        await non_interference(imba(tmp_path), seed, bodies=BODIES, give_up_after=1)
