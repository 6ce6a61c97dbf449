"""Nobody learns what is not theirs: Imba's own seed, and the proofs that Freehold generates from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import registry

from freehold import Conflict, Db, Principal, Router, allow, anyone, owner, role, signed_in, system, where
from freehold.fields import now
from freehold.media import Library
from freehold.store import AUDIT
from freehold.testing import House, Interference, Scene, Stage, access_table, every_route_has_a_rule, non_interference
from freehold.webhooks import WebhookDelivery, WebhookEndpoint
from services.imba.blocks.models import Block
from services.imba.blocks.routes import blocks
from services.imba.calendars import feed
from services.imba.calendars.models import Calendar
from services.imba.calendars.routes import calendars
from services.imba.favourites.models import Favourite
from services.imba.favourites.routes import favourites
from services.imba.mandates.models import Mandate
from services.imba.mandates.routes import mandates
from services.imba.media.models import Medium
from services.imba.media.routes import media
from services.imba.messages.models import Message, Thread
from services.imba.messages.routes import messages, threads
from services.imba.properties.crud import on_market
from services.imba.properties.models import Property
from services.imba.properties.routes import LANDLORD, properties
from services.imba.reports.models import Report
from services.imba.reports.routes import PARTICIPANT, reports
from services.imba.reservations.models import Reservation
from services.imba.reservations.routes import TENANT, reservations
from services.imba.reviews.models import Review
from services.imba.reviews.routes import AUTHOR, reviews
from services.imba.searches.models import SavedSearch
from services.imba.searches.routes import saved_searches
from services.imba.service import build
from services.imba.settings import ImbaSettings
from services.imba.tests.conftest import core
from services.imba.users.models import User
from services.imba.verification.models import VerificationRequest
from services.imba.verification.routes import STAFF, verification_requests
from services.imba.webhooks import webhooks

pytestmark = pytest.mark.anyio

PLACE: dict[str, Any] = {
    "kind": "house", "city": "Anacortes", "country": "US", "latitude": 48.5, "longitude": -122.6, "bedrooms": 2,
    "price_amount": 14500, "price_currency": "USD", "price_per": "night",
}  # fmt: skip
LISTED = UUID(int=101)
THREAD = UUID(int=600)
AGENT = UUID(int=8)  # the eighth of the people
BODIES = {
    # Over the nights of somebody else's stay.
    "create_reservation": {
        "kind": "stay",
        "property_id": str(LISTED),
        "check_in": "2026-01-26",
        "check_out": "2026-01-27",
        "guests": 1,
    },
    "reservation_rejection": {"reason": "no"},
    "verification_request_rejection": {"reason": "no"},
    "verification_request_revocation": {"reason": "no"},
    "verification_request_information_request": {"reason": "no"},
    "verification_request_note": {"note": "no"},
    "create_thread": {"property_id": str(LISTED), "text": "Is it quiet?"},
    "create_blocked_person": {"thread_id": str(THREAD)},
    "create_report": {"thread_id": str(THREAD), "reason": "spam"},
    "report_upholding": {"decision": "no"},
    "report_dismissal": {"decision": "no"},
    "create_mandate": {"property_id": str(LISTED), "agent": str(AGENT)},
    "create_notice_preference": {"kind": "message", "mail": False},
    "create_webhook_endpoint": {"url": "https://203.0.114.1/", "events": ["reservation.requested"]},
    "update_webhook_endpoint": {"is_enabled": True},
}


async def seed(stage: Stage) -> Scene:
    """A tenant, two landlords, staff; a listed house, a draft, stays and checks."""
    people: dict[str, Principal] = {}
    for number, (name, roles) in enumerate(
        {"tenant": ["tenant"], "other": ["tenant"], "landlord": ["landlord"], "rival": ["landlord"], "reviewer": ["reviewer"],
         "admin": ["admin"], "stranger": [], "agent": ["agent"]}.items(), 1
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
        Property,
        id=LISTED,
        landlord_id=ids["landlord"],
        title="Lighthouse",
        description="Tidal",
        status="listed",
        street="12 Tide Lane",
        **PLACE,
    )
    draft = await stage.make(
        Property, landlord_id=ids["landlord"], title="Secret cellar", description="Damp", **{**PLACE, "city": "Lopez"}
    )
    day = now().date()

    async def stay(tenant: str, place: Property, after: int, **more: Any) -> list[Any]:
        start, end, until = day + timedelta(after), day + timedelta(after + 3), now() + timedelta(days=1)
        booked = await stage.make(
            Reservation, tenant_id=ids[tenant], property_id=place.id, check_in=start, check_out=end, guests=2,
            starts_at=now() + timedelta(after), ends_at=now() + timedelta(after + 3), total_amount=1000 + after,
            currency="USD", expires_at=until, price_lines=[], cancellation=[], time_zone="UTC", **more,
        )  # fmt: skip
        nights = {"property_id": place.id, "start": start, "end": end, "expires_at": until, "calendar_id": None}
        return [booked, await stage.make(Block, id=booked.id, kind="stay", note="", uid=None, **nights)]

    async def visit(tenant: str, place: Property, at: timedelta) -> Reservation:
        starts_at, ends_at = now() + at, now() + at + timedelta(minutes=30)
        return await stage.make(
            Reservation, kind="visit", tenant_id=ids[tenant], property_id=place.id, starts_at=starts_at,
            ends_at=ends_at, clear_at=ends_at, expires_at=now() + timedelta(days=1), check_in=None, check_out=None,
            guests=None, total_amount=None, currency=None, price_lines=[], cancellation=[], time_zone="UTC",
        )  # fmt: skip

    async def kept(place: Property, after: int, **more: Any) -> Block:
        nights = {"start": day + timedelta(after), "end": day + timedelta(after + 2), "expires_at": None}
        return await stage.make(Block, property_id=place.id, **nights, **more)

    known_stay, _ = await stay("tenant", listed, 10)
    theirs = await stay("other", listed, 20, reason="their reason")
    theirs.append(await visit("other", listed, timedelta(days=3)))
    calendar = await stage.make(Calendar, property_id=listed.id, name="Elsewhere", file="A secret calendar")
    of_the_landlord = [
        await kept(listed, 40, kind="owner", note="Painting", calendar_id=None, uid=None),
        await kept(listed, 50, kind="imported", note="", calendar_id=calendar.id, uid="guest-of-another-site"),
        calendar,
    ]
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

    async def said(author: str, booked: Any, text: str, published: datetime | None, **subject: Any) -> Review:
        name = {"author_id": ids[author], "author_name": author.title(), "closes_at": now() + timedelta(days=40)}
        about = {"property_id": None, "guest_id": None, "answer": None, "answered_at": None} | subject
        return await stage.make(
            Review, reservation_id=booked.id, rating=2, text=text, published_at=published, **name, **about
        )

    await said("tenant", known_stay, "Known to all", now(), subject="property", property_id=listed.id)
    unpublished = await said("other", theirs[0], "Not yet", None, subject="property", property_id=listed.id)
    of_a_guest = await said("landlord", theirs[0], "Of a guest", now(), subject="guest", guest_id=ids["other"])
    theirs += [unpublished, of_a_guest]

    async def written(tenant: str, text: str, **known: Any) -> list[Any]:
        names = {"tenant_name": tenant.title(), "landlord_name": "Landlord"}
        sides = {"tenant_id": ids[tenant], "landlord_id": ids["landlord"], "property_id": listed.id}
        thread = await stage.make(
            Thread,
            **known,
            **sides,
            **names,
            reservation_id=None,
            message_count=1,
            tenant_unread=1,
            last_message_at=now(),
        )
        words = {"sender_id": ids["landlord"], "number": 1, "text": text}
        return [thread, await stage.make(Message, thread_id=thread.id, **words)]

    # Offered, and not accepted: what an agent would see of the draft is the landlord's alone.
    offered = await stage.make(Mandate, landlord_id=ids["landlord"], agent_id=ids["agent"], property_id=draft.id)
    theirs += await written("other", "between the other and the landlord")
    between = await written("tenant", "between the tenant and the landlord", id=THREAD)
    reported = await stage.make(
        Thread, tenant_id=ids["tenant"], landlord_id=ids["landlord"], property_id=listed.id, tenant_name="Tenant",
        landlord_name="Landlord", reservation_id=known_stay.id, message_count=0, last_message_at=now(),
    )  # fmt: skip
    decided = {"status": "dismissed", "reason": "fraud", "text": "said in confidence", "message_id": None}
    report = await stage.make(Report, reporter_id=ids["tenant"], thread_id=reported.id, **decided)
    own = [*between, await stage.make(Favourite, user_id=ids["tenant"], property_id=listed.id)]
    theirs.append(await stage.make(SavedSearch, user_id=ids["other"], name="By the sea", query="city=Lopez"))
    theirs.append(await stage.make(Favourite, user_id=ids["other"], property_id=listed.id))
    theirs += await hooks(stage, ids["other"])
    files_of_the_landlord = await files(stage, listed, draft)
    unfinished = await begun_upload(stage, ids["landlord"])
    not_of_the_tenant = [offered, draft, check, done, *theirs, *of_the_landlord, *files_of_the_landlord, unfinished]
    return Scene(
        callers=people,
        secrets={
            "tenant": not_of_the_tenant,
            "rival": [report, *own, *not_of_the_tenant],
            "nobody": [report, *own, *not_of_the_tenant],
            # How many have put a listing aside is told to its landlord, so that a favourite is no secret here.
            "landlord": [unpublished, report],
            "reviewer": [*own, *theirs, *of_the_landlord, unfinished],
        },
        cells={
            "landlord": [(done, "reviewer_id"), (between[0], "tenant_unread")],
            "stranger": [(listed, "street")],
        },
    )


async def hooks(stage: Stage, owner_id: UUID) -> list[Any]:
    """Somebody's endpoint, and what is on its way to it."""
    async with stage.as_user(id=owner_id, roles=["tenant"]) as client:
        made = await client.post("/v1/webhook-endpoints", json=BODIES["create_webhook_endpoint"])
        await client.post(f"{made.headers['location']}/test")
    async with stage.database.reading(system("the rows behind it")) as db:
        return [*await db.scalars(select(WebhookEndpoint)), *await db.scalars(select(WebhookDelivery))]


async def files(stage: Stage, listed: Property, draft: Property) -> list[Medium]:
    """A photo of each property and the deed of the first, with something in the store; those that are not on show."""
    library = stage.database.parts[Library]

    async def file(name: str, place: Property, **more: Any) -> Medium:
        row = await stage.make(
            Medium, owner_id=place.landlord_id, property_id=place.id, filename=name, alt_text=f"Behind {name}",
            digest=name.encode().hex(), deleted_at=None, is_held=False, is_cover=False, failure=None, **more,
        )  # fmt: skip
        for part in (
            "original",
            *(f"{size}.{kind}" for size in ("thumb", "card", "full") for kind in ("avif", "webp", "jpeg")),
        ):
            await library.files.put(f"media/{row.id}/{part}", once(f"bytes of {name}".encode()))
        return row

    shown: dict[str, Any] = {"purpose": "photo", "status": "ready", "content_type": "image/jpeg"}
    sizes = {size: [1, 1] for size in ("thumb", "card", "full")}
    await file("front.jpg", listed, renditions=sizes, **shown)
    of_draft = await file("cellar.jpg", draft, renditions=sizes, **shown)
    paper: dict[str, Any] = {"purpose": "document", "status": "ready", "content_type": "application/pdf"}
    return [of_draft, await file("deed.pdf", listed, renditions=None, **paper)]


async def once(data: bytes) -> AsyncIterator[bytes]:
    yield data


class Upload:
    """A row of Freehold's own table of uploads."""


registry().map_imperatively(Upload, AUDIT.metadata.tables["freehold_uploads"])


async def begun_upload(stage: Stage, owner_id: UUID) -> Upload:
    said = {"id": UUID(int=700), "medium_id": UUID(int=701), "owner_id": owner_id, "form": {"purpose": "document"},
            "filename": "passport.pdf", "size_bytes": 4000, "pieces": [], "expires_at": now() + timedelta(hours=1)}  # fmt: skip
    upload = Upload()
    for name, value in said.items():
        setattr(upload, name, value)
    async with stage.database.writing(system("somebody has begun an upload")) as unit:
        unit.session.add(upload)
        await unit.session.flush()
        await unit.session.refresh(upload)
    return upload


def imba(folder: Path) -> Any:
    return build(core=core(f"sqlite+aiosqlite:///{folder}/imba.db", folder), own=ImbaSettings(), migrations=None)


# In parts, so that they can be proved side by side.
@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "callers",
    [
        ("tenant", "nobody"),
        *(
            pytest.param(others, marks=pytest.mark.proof)
            for others in (("rival", "stranger"), ("reviewer", "landlord"))
        ),
    ],
)
async def test_Z03_nobody_learns_what_is_not_theirs(
    callers: tuple[str, str], sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_new_token", lambda: "the same in both worlds")
    monkeypatch.setattr(
        "freehold.webhooks.endpoints.new_secret", lambda _kind: "whsec_dGhlIHNhbWUgaW4gYm90aCB3b3JsZHM="
    )

    async def of_these(stage: Stage) -> Scene:
        scene = await seed(stage)
        secrets, cells = (
            {name: told for name, told in part.items() if name in callers} for part in (scene.secrets, scene.cells)
        )
        return replace(scene, secrets=secrets, cells=cells)

    done = await non_interference(sqlite_house.app, of_these, bodies=BODIES)
    assert done.requests > 700
    if "tenant" in callers:
        assert done.statuses[409] > 0, "taken dates are a public fact, and were met"


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_Z01_every_operation_answers_as_declared(sqlite_house: House) -> None:
    lines = await access_table(
        sqlite_house.app, seed, bodies=BODIES, may_refuse=["create_reservation", "create_thread", "create_review"]
    )
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


def finding(patch: pytest.MonkeyPatch) -> None:
    """Plant a look at uploads that does not ask whose they are."""
    name = "freehold.media.uploads:Uploads.find"
    find = resolve_name(name)

    async def anyone_s(self: Any, db: Any, upload_id: UUID, owner_id: UUID | None) -> Any:
        return await find(self, db, upload_id, UUID(int=3))

    patch.setattr(name.replace(":", "."), anyone_s)


FAULTS: dict[str, Any] = {
    "drafts are shown to all": loosened(properties, read=where(Property.deleted_at.is_(None))),
    "drafts are shown to those signed in": loosened(properties, read=properties.access.read | signed_in),
    "drafts are shown to landlords": loosened(properties, read=properties.access.read | role("landlord")),
    "the owner is turned round": loosened(properties, read=properties.access.read | ~LANDLORD),
    "unlisted counts as listed": loosened(properties, read=properties.access.read | where(Property.status != "listed")),
    "stays are shown to all": loosened(reservations, read=anyone),
    "stays are shown to tenants": loosened(reservations, read=reservations.access.read | role("tenant")),
    "stays are shown to reviewers": loosened(reservations, read=reservations.access.read | role("reviewer")),
    "stays are shown to whom they are not": loosened(reservations, read=~TENANT),
    "blocks are shown to all": loosened(blocks, read=anyone),
    "calendars are shown to landlords": loosened(calendars, read=role("landlord")),
    "favourites are shown to all": loosened(favourites, read=signed_in),
    "threads are shown to landlords": loosened(threads, read=threads.access.read | role("landlord")),
    "messages are shown to tenants": loosened(messages, read=messages.access.read | role("tenant")),
    "threads are shown to staff": loosened(threads, read=threads.access.read | STAFF),
    "reports are shown to the other side": loosened(reports, read=reports.access.read | PARTICIPANT),
    "mandates are shown to landlords": loosened(mandates, read=mandates.access.read | role("landlord")),
    "what the other side has read is shown": loosened(threads, read_fields={}),
    "reviews are shown before they are published": loosened(reviews, read=reviews.access.read | role("landlord")),
    "reviews of guests are shown to all": loosened(reviews, read=AUTHOR | where(Review.published_at.is_not(None))),
    "searches are shown to all": loosened(saved_searches, read=signed_in),
    "the street is shown to all": loosened(properties, read_fields={}),
    "checks are shown to landlords": loosened(
        verification_requests, read=owner("landlord_id") | role("landlord") | STAFF
    ),
    "checks are shown once done": loosened(
        verification_requests, read=owner("landlord_id") | STAFF | where(VerificationRequest.status == "approved")
    ),
    "the reviewer is shown to the landlord": loosened(verification_requests, read_fields={}),
    "photos of drafts are shown to all": loosened(media.resource, read=where(Medium.purpose == "photo")),
    "documents are shown to landlords": loosened(media.resource, read=media.access.read | role("landlord")),
    "documents are shown with their listing": loosened(
        media.resource, read=media.access.read | where(on_market(Medium.property_id))
    ),
    "uploads are shown to landlords": finding,
    "endpoints are shown to all": loosened(webhooks.endpoints, read=signed_in),
    "deliveries are shown to tenants": loosened(webhooks.deliveries, read=owner("owner_id") | role("tenant")),
    "a figure counts everything": counting,
    "a refusal names another's stay": naming,
}


@pytest.mark.proof
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", FAULTS)
async def test_Z03_a_weakened_copy_is_caught(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[name](monkeypatch)
    with pytest.raises(Interference):
        await non_interference(imba(tmp_path), seed, bodies=BODIES, give_up_after=1)
