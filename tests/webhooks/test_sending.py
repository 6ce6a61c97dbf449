"""Events on their way out, to a real server: signed, judged, tried again, and told of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import MetaData, select, update
from sqlalchemy.orm import Mapped
from standardwebhooks import Webhook, WebhookVerificationError

from freehold import Access, Freehold, Principal, Resource, Session, owner, role, scope, signed_in, system, where
from freehold import Base as FreeholdBase
from freehold.errors import ConfigurationError
from freehold.resource.base import NAMING, new_id
from freehold.settings import Settings
from freehold.store.ledger import LEDGER
from freehold.store.outbox import OUTBOX
from freehold.testing import Clock, House, Person, Receiver, Stage, opened, receiving
from freehold.webhooks import Event, SwitchedOff, Webhooks
from freehold.webhooks.sending import TRIES, send
from freehold.webhooks.signing import is_signed
from freehold.webhooks.tables import WebhookEndpoint
from freehold.webhooks.upkeep import sweep

pytestmark = pytest.mark.anyio

ENDPOINTS, DELIVERIES = "/v1/webhook-endpoints", "/v1/webhook-deliveries"
ROLES: dict[UUID, frozenset[str]] = {}
TOLD: list[SwitchedOff] = []


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Parcel(Base):
    __tablename__ = "parcels"
    owner_id: Mapped[UUID]
    label: Mapped[str]
    price: Mapped[int]
    is_public: Mapped[bool]


opened_event = Event("parcel.opened", Parcel, "A parcel was opened.")
changed_event = Event("parcel.changed", Parcel)


async def open_parcel(db: Session, actor: Principal, draft: Any) -> Parcel:
    parcel = Parcel(owner_id=actor.id, **draft.model_dump())
    db.add(parcel)
    await opened_event.emit(db, parcel)
    if parcel.label == "refused":
        raise ZeroDivisionError
    return parcel


async def change_parcel(db: Session, actor: Principal, parcel: Parcel, changes: Any) -> None:
    for name in changes.model_fields_set:
        setattr(parcel, name, getattr(changes, name))
    await changed_event.emit(db, parcel)


parcels = Resource(
    Parcel,
    access=Access(
        read=(where(Parcel.is_public) | owner("owner_id") | role("staff"))
        & ~role("expelled")
        & (scope("parcels") | ~signed_in),
        create=signed_in,
        update=owner("owner_id"),
        read_fields={"price": owner("owner_id") | role("staff")},
    ),
    create=open_parcel,
    update=change_parcel,
)


async def person(user_id: UUID) -> Principal | None:
    return Principal(id=user_id, roles=ROLES.get(user_id, frozenset()))


async def tell(_db: Session, off: SwitchedOff) -> None:
    TOLD.append(off)


@pytest.fixture(scope="module")
async def house(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    settings = Settings(
        env="test", var_dir=tmp_path_factory.mktemp("var"), database_url=module_database, secret="s3cr3t" * 8,
        limits="off", log_level="warning", allowed_receivers=("127.0.0.1",),
    )  # fmt: skip
    webhooks = Webhooks([opened_event, changed_event], at_most=3, principals=person, tell=tell)
    async with opened(Freehold(parcels, webhooks=webhooks, settings=settings)) as found:
        yield found


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    ROLES.clear()
    TOLD.clear()
    async with house.stage(isolate=False, workers=False) as found:
        yield found


@pytest.fixture
def clock() -> Any:
    # Ahead, so that it and not the database's decides from the start; by less than a verifier minds.
    with Clock(datetime.now(UTC) + timedelta(minutes=2)) as found:
        yield found


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


def somebody(stage: Stage, *roles: str, scopes: Any = None) -> Person:
    user_id = new_id()
    ROLES[user_id] = frozenset(roles)
    return Person(stage.as_user(id=user_id, roles=roles, scopes=scopes), id=str(user_id))


async def subscribed(who: Person, url: str, *events: str, **more: Any) -> dict[str, Any]:
    return await who.made(ENDPOINTS, {"url": url, "events": list(events) or ["parcel.opened"], **more})


async def parcel(who: Person, label: str = "books", *, is_public: bool = False) -> dict[str, Any]:
    return await who.made("/v1/parcels", {"label": label, "price": 12, "is_public": is_public})


async def log(who: Person, endpoint: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await who.get(f"{ENDPOINTS}/{endpoint['id']}/deliveries")).json["items"]
    return found


async def owed(stage: Stage) -> int:
    """How many events of ours the outbox has seen."""
    async with stage.database.reading(system("test")) as db:
        return len((await db.execute(select(OUTBOX).where(OUTBOX.c.type == "parcel.opened"))).all())


class TestSending:
    async def test_W04_an_event_arrives_signed_and_the_published_verifier_takes_it(
        self, stage: Stage, receiver: Receiver
    ) -> None:
        ada = somebody(stage)
        endpoint = await subscribed(ada, receiver.url("/a"))
        made = await parcel(ada)
        await stage.app.jobs.run_pending()
        (post,) = receiver.posts
        assert Webhook(endpoint["secret"]).verify(post.body, post.headers) == post.event
        assert post.event["type"] == "parcel.opened"
        assert post.event["data"] == made
        with pytest.raises(WebhookVerificationError):
            Webhook(endpoint["secret"]).verify(post.body.replace(b"books", b"boots"), post.headers)
        (entry,) = await log(ada, endpoint)
        assert (entry["state"], entry["response_status"], entry["attempts"]) == ("delivered", 204, 1)
        assert entry["event_id"] == post.id and entry["subject_id"] == made["id"]

    async def test_W04_a_new_secret_and_the_former_one_both_sign_for_a_day(
        self, stage: Stage, receiver: Receiver, clock: Clock
    ) -> None:
        ada = somebody(stage)
        endpoint = await subscribed(ada, receiver.url("/a"))
        renewed = await ada.made(f"{ENDPOINTS}/{endpoint['id']}/secret-rotation")
        await parcel(ada)
        await stage.app.jobs.run_pending()
        for secret in (endpoint["secret"], renewed["secret"]):
            Webhook(secret).verify(receiver.posts[0].body, receiver.posts[0].headers)
        clock.advance(hours=25)
        await ada.post(f"{ENDPOINTS}/{endpoint['id']}/test")
        await stage.app.jobs.run_pending()
        assert len(receiver.posts[1].headers["webhook-signature"].split()) == 1

    async def test_W04_an_endpoint_may_ask_for_ed25519(self, stage: Stage, receiver: Receiver) -> None:
        ada = somebody(stage)
        endpoint = await subscribed(ada, receiver.url("/a"), signature="v1a")
        assert endpoint["secret"] is None and endpoint["public_key"].startswith("whpk_")
        await ada.post(f"{ENDPOINTS}/{endpoint['id']}/test")
        await stage.app.jobs.run_pending()
        (post,) = receiver.posts
        signed = f"{post.id}.{post.headers['webhook-timestamp']}.".encode() + post.body
        assert is_signed([endpoint["public_key"]], signed, post.headers["webhook-signature"])
        assert not is_signed([endpoint["public_key"]], signed + b" ", post.headers["webhook-signature"])
        assert post.event["type"] == "webhook.test"

    async def test_J01_a_unit_that_fails_owes_nothing(self, stage: Stage, receiver: Receiver) -> None:
        ada = somebody(stage)
        await subscribed(ada, receiver.url("/a"))
        assert (await ada.post("/v1/parcels", {"label": "refused", "price": 1, "is_public": True})).status == 500
        assert await owed(stage) == 0
        await stage.app.jobs.run_pending()
        assert receiver.posts == []

    async def test_an_event_that_nobody_has_subscribed_to_is_not_written(self, stage: Stage) -> None:
        await parcel(somebody(stage))
        assert await owed(stage) == 0

    async def test_W05_events_of_one_object_are_numbered_in_the_order_of_their_commits(
        self, stage: Stage, receiver: Receiver
    ) -> None:
        ada = somebody(stage)
        await subscribed(ada, receiver.url("/a"), "parcel.opened", "parcel.changed")
        made = await parcel(ada)
        for label in ("one", "two", "three"):
            assert (await ada.patch(f"/v1/parcels/{made['id']}", {"label": label})).status == 200
        await stage.app.jobs.run_pending()
        in_order = sorted((post.event for post in receiver.posts), key=lambda event: event["sequence"])
        assert [event["data"]["label"] for event in in_order] == ["books", "one", "two", "three"]


class TestWhoIsTold:
    async def test_an_event_goes_to_those_who_may_read_the_row_with_the_fields_that_they_may(
        self, stage: Stage, receiver: Receiver
    ) -> None:
        ada, bob, staff, narrow = (
            somebody(stage), somebody(stage), somebody(stage, "staff"), somebody(stage, "staff", scopes=["other"]),
        )  # fmt: skip
        people = {"/ada": ada, "/bob": bob, "/staff": staff, "/narrow": narrow}
        for path, who in people.items():
            await subscribed(who, receiver.url(path))
        await parcel(ada, "private")
        await parcel(ada, "public", is_public=True)
        await stage.app.jobs.run_pending()
        seen = {path: sorted(post.event["data"]["label"] for post in receiver.at(path)) for path in people}
        assert seen == {
            "/ada": ["private", "public"],
            "/bob": ["public"],
            "/staff": ["private", "public"],
            "/narrow": [],
        }
        assert "price" not in receiver.at("/bob")[0].event["data"]
        assert receiver.at("/staff")[0].event["data"]["price"] == 12

    async def test_who_loses_the_right_before_the_next_try_is_sent_nothing(
        self, stage: Stage, receiver: Receiver, clock: Clock
    ) -> None:
        ada, bob = somebody(stage), somebody(stage)
        endpoint = await subscribed(bob, receiver.url("/bob"))
        receiver.says["/bob"] = 500
        await parcel(ada, is_public=True)
        await stage.app.jobs.run_pending()
        ROLES[UUID(bob.id)] = frozenset({"expelled"})
        clock.advance(minutes=1)
        await stage.app.jobs.run_pending()
        assert len(receiver.posts) == 1
        assert [entry["state"] for entry in await log(bob, endpoint)] == ["withheld"]

    async def test_nobody_sees_the_endpoints_and_deliveries_of_another(self, stage: Stage, receiver: Receiver) -> None:
        ada, bob = somebody(stage), somebody(stage, "staff")
        endpoint = await subscribed(ada, receiver.url("/a"))
        tested = (await ada.post(f"{ENDPOINTS}/{endpoint['id']}/test")).json
        one = f"{ENDPOINTS}/{endpoint['id']}"
        assert (await bob.get(ENDPOINTS)).json["items"] == (await bob.get(DELIVERIES)).json["items"] == []
        answers = [
            await bob.get(one),
            await bob.patch(one, {"url": receiver.url("/bob")}),
            await bob.post(f"{one}/secret-rotation"),
            await bob.post(f"{one}/test"),
            await bob.get(f"{one}/deliveries"),
            await bob.get(f"{DELIVERIES}/{tested['id']}"),
            await bob.post(f"{DELIVERIES}/{tested['id']}/redelivery"),
            await bob.delete(one),
        ]
        assert {answer.status for answer in answers} == {404}


class TestFailures:
    async def test_W05_each_try_has_the_same_id_and_the_last_one_is_parked_and_shown(
        self, stage: Stage, receiver: Receiver, clock: Clock
    ) -> None:
        ada = somebody(stage)
        endpoint = await subscribed(ada, receiver.url("/a"))
        receiver.says["/a"] = 302  # 2xx alone is success
        await parcel(ada)
        began, waits = clock.now(), []
        for _ in range(TRIES):
            await stage.app.jobs.run_pending()
            (entry,) = await log(ada, endpoint)
            if entry["state"] == "pending":
                due = datetime.fromisoformat(entry["next_attempt_at"])
                waits.append(due - clock.now())
                clock.set(due + timedelta(hours=1))  # past the rest of the endpoint, too
        assert (entry["state"], entry["attempts"], entry["response_status"]) == ("parked", TRIES, 302)
        assert len(receiver.posts) == TRIES and len({post.id for post in receiver.posts}) == 1
        assert timedelta(days=2) < sum(waits, timedelta()) < timedelta(days=4) and waits[0] < timedelta(seconds=13)
        assert began < clock.now()

        receiver.says["/a"] = 200
        again = await ada.post(f"{DELIVERIES}/{entry['id']}/redelivery")
        assert again.json["state"] == "pending"
        await stage.app.jobs.run_pending()
        (entry,) = await log(ada, endpoint)
        assert (entry["state"], entry["attempts"], entry["error"]) == ("delivered", 1, None)
        assert receiver.posts[-1].id == receiver.posts[0].id
        assert (await ada.get(f"{ENDPOINTS}/{endpoint['id']}")).json["failing_since"] is None

    async def test_W05_410_switches_the_endpoint_off_and_its_owner_is_told(
        self, stage: Stage, receiver: Receiver
    ) -> None:
        ada = somebody(stage)
        endpoint = await subscribed(ada, receiver.url("/a"))
        receiver.says["/a"] = 410
        await parcel(ada)
        await stage.app.jobs.run_pending()
        await parcel(ada)
        await stage.app.jobs.run_pending()
        assert len(receiver.posts) == 1
        shown = (await ada.get(f"{ENDPOINTS}/{endpoint['id']}")).json
        assert (shown["is_enabled"], shown["disabled_because"]) == (False, "gone")
        assert [(str(off.endpoint_id), off.because) for off in TOLD] == [(endpoint["id"], "gone")]
        assert (await ada.post(f"{ENDPOINTS}/{endpoint['id']}/test")).code == "webhooks.switched_off"
        receiver.says["/a"] = 200
        assert (await ada.patch(f"{ENDPOINTS}/{endpoint['id']}", {"is_enabled": True})).json["disabled_because"] is None
        assert (await ada.post(f"{ENDPOINTS}/{endpoint['id']}/test")).status == 200

    async def test_an_endpoint_that_fails_for_days_is_switched_off(
        self, stage: Stage, receiver: Receiver, clock: Clock
    ) -> None:
        ada = somebody(stage)
        endpoint = await subscribed(ada, receiver.url("/a"))
        receiver.says["/a"] = 503
        await parcel(ada)
        await stage.app.jobs.run_pending()
        clock.advance(days=5)
        await stage.app.jobs.run_pending()
        assert (await ada.get(f"{ENDPOINTS}/{endpoint['id']}")).json["disabled_because"] == "failing"
        assert [off.because for off in TOLD] == ["failing"]

    async def test_W03_a_receiver_that_does_not_answer_keeps_nobody_waiting(
        self, stage: Stage, receiver: Receiver
    ) -> None:
        answered = asyncio.Event()
        receiver.holds["/slow"] = answered.wait
        ada, bob = somebody(stage), somebody(stage)
        slow, quick = await subscribed(ada, receiver.url("/slow")), await subscribed(bob, receiver.url("/quick"))
        for _ in range(6):
            await ada.post(f"{ENDPOINTS}/{slow['id']}/test")
        working = asyncio.create_task(stage.app.jobs.run_pending())
        await receiver.until("/slow", 4)
        await bob.post(f"{ENDPOINTS}/{quick['id']}/test")
        await receiver.until("/quick", 1)
        assert len(receiver.at("/slow")) == 4  # its share, and no more
        answered.set()
        await working
        assert len(receiver.at("/slow")) == 6

    async def test_W05_a_crash_between_sending_and_writing_it_down_sends_the_same_id_again(
        self, stage: Stage, receiver: Receiver, clock: Clock
    ) -> None:
        answered = asyncio.Event()
        receiver.holds["/a"] = answered.wait
        ada = somebody(stage)
        endpoint = await subscribed(ada, receiver.url("/a"))
        await parcel(ada)
        working = asyncio.create_task(stage.app.jobs.run_pending())
        await receiver.until("/a", 1)
        working.cancel()  # as by a kill: it was sent, and nobody knows
        await asyncio.gather(working, return_exceptions=True)
        answered.set()
        clock.advance(seconds=61)
        async with stage.database.writing(system("test")) as unit:
            await send.enqueue(unit.session)
        await stage.app.jobs.run_pending()
        assert len(receiver.posts) == 2 and len({post.id for post in receiver.posts}) == 1
        (entry,) = await log(ada, endpoint)
        assert (entry["state"], entry["attempts"]) == ("delivered", 2)


class TestEndpoints:
    async def test_W07_the_secret_is_shown_once_and_lies_sealed(
        self, stage: Stage, receiver: Receiver, capfd: pytest.CaptureFixture[str]
    ) -> None:
        ada = somebody(stage)
        body = {"url": receiver.url("/a"), "events": ["parcel.opened"]}
        first = await ada.post(ENDPOINTS, body, Idempotency_Key="k1")
        again = await ada.post(ENDPOINTS, body, Idempotency_Key="k1")
        assert again.json == first.json and again.headers["idempotent-replayed"] == "true"
        secret, one = first.json["secret"], first.headers["location"]
        receiver.says["/a"] = 500
        await parcel(ada)
        await stage.app.jobs.run_pending()
        said = [(await ada.get(path)).text for path in (one, ENDPOINTS, f"{one}/deliveries", DELIVERIES)]
        async with stage.database.reading(system("test")) as db:
            said += [str((await db.execute(select(table))).all()) for table in LEDGER.sorted_tables]
        assert not any(secret.removeprefix("whsec_")[:20] in text for text in said)
        assert secret[:20] not in "".join(capfd.readouterr())

    @pytest.mark.parametrize(
        "url", ["https://169.254.169.254/", "https://[::ffff:10.0.0.1]/", "https://0x7f.1/", "http://example.com/", "https://example.com:22/", "ftp://example.com/", "https://u:p@example.com/"]
    )  # fmt: skip
    async def test_W01_an_address_that_leads_inside_or_is_not_secret_is_refused(self, stage: Stage, url: str) -> None:
        refused = await somebody(stage).post(ENDPOINTS, {"url": url, "events": ["parcel.opened"]})
        assert (refused.status, refused.pointers) == (422, ["/url"])

    async def test_W01_an_address_that_has_come_to_lead_inside_is_not_asked(
        self, stage: Stage, receiver: Receiver
    ) -> None:
        ada = somebody(stage)
        endpoint = await subscribed(ada, receiver.url("/a"))
        async with stage.database.writing(system("test")) as unit:
            await unit.session.execute(update(WebhookEndpoint).values(url=f"http://localhost:{receiver.port}/a"))
        await ada.post(f"{ENDPOINTS}/{endpoint['id']}/test")
        await stage.app.jobs.run_pending()
        (entry,) = await log(ada, endpoint)
        assert entry["response_status"] is None and "may not be asked" in entry["error"]
        assert receiver.posts == []

    async def test_an_owner_has_so_many_and_no_more_also_of_two_at_once(self, stage: Stage, receiver: Receiver) -> None:
        ada = somebody(stage)
        body = {"url": receiver.url("/a"), "events": ["parcel.opened"]}
        answers = await asyncio.gather(*[ada.post(ENDPOINTS, body) for _ in range(5)])
        assert sorted(answer.status for answer in answers) == [201, 201, 201, 409, 409]

    async def test_events_are_those_that_are_declared(self, stage: Stage, receiver: Receiver) -> None:
        refused = await somebody(stage).post(ENDPOINTS, {"url": receiver.url("/a"), "events": ["parcel.lost"]})
        assert (refused.status, refused.pointers) == (422, ["/events/0"])

    async def test_a_change_of_events_is_a_change_of_what_is_sent(self, stage: Stage, receiver: Receiver) -> None:
        ada = somebody(stage)
        endpoint = await subscribed(ada, receiver.url("/a"), "parcel.changed")
        await parcel(ada)
        assert (await ada.patch(f"{ENDPOINTS}/{endpoint['id']}", {"events": ["parcel.opened"]})).status == 200
        await parcel(ada, "second")
        await stage.app.jobs.run_pending()
        assert [post.event["data"]["label"] for post in receiver.posts] == ["second"]
        assert (await ada.delete(f"{ENDPOINTS}/{endpoint['id']}")).status == 204
        await parcel(ada, "third")
        await stage.app.jobs.run_pending()
        assert len(receiver.posts) == 1


async def test_what_is_old_is_parked_and_then_forgotten(stage: Stage, receiver: Receiver, clock: Clock) -> None:
    ada = somebody(stage)
    endpoint = await subscribed(ada, receiver.url("/a"))
    receiver.says["/a"] = 500
    await parcel(ada)
    await stage.app.jobs.run_pending()
    began = clock.now()
    for days, states in {3: ["pending"], 5: ["parked"], 29: ["parked"], 31: []}.items():
        clock.set(began + timedelta(days=days))
        async with stage.database.writing(system("test")) as unit:
            await sweep(unit.session)
        assert [entry["state"] for entry in await log(ada, endpoint)] == states


async def test_the_document_lists_the_events(house: House) -> None:
    listed = house.app.openapi()["webhooks"]
    assert set(listed) == {"parcel.opened", "parcel.changed"}
    sent = listed["parcel.opened"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert sent["properties"]["data"] == {"$ref": "#/components/schemas/ParcelRead"}
    assert "ParcelRead" in house.app.openapi()["components"]["schemas"]


def test_a_declaration_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="lower case"):
        Event("Opened", Parcel)
    with pytest.raises(ConfigurationError, match="declared twice"):
        Webhooks([opened_event, opened_event])
    settings = Settings(env="test", var_dir=tmp_path, secret="s" * 40)
    with pytest.raises(ConfigurationError, match="no Resource"):
        Freehold(webhooks=Webhooks([opened_event]), settings=settings)
