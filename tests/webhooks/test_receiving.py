"""What others send here: genuine or refused, and taken once."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import MetaData, func, select
from sqlalchemy.orm import Mapped
from standardwebhooks import Webhook

from freehold import Base as FreeholdBase
from freehold import Conflict, Freehold, Session, system
from freehold.errors import ConfigurationError
from freehold.resource.base import NAMING
from freehold.settings import Settings
from freehold.testing import House, Person, Stage, opened
from freehold.web import receive
from freehold.webhooks import Received, StandardWebhooks, Stripe, github
from freehold.webhooks.signing import Message, new_secret, public_key
from freehold.webhooks.tables import RECEIVED

pytestmark = pytest.mark.anyio

OLD, NEW, ED = new_secret("v1"), new_secret("v1"), new_secret("v1a")
BODY = b'{"type":"payment.made","amount":  12}'  # not as a parser would write it


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Payment(Base):
    __tablename__ = "payments"
    amount: Mapped[int]


async def pay(db: Session, message: Received) -> None:
    amount = message.json()["amount"]
    if amount < 0:
        raise Conflict("Not a payment.")
    db.add(Payment(amount=amount))


@pytest.fixture(scope="module")
async def house(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    settings = Settings(
        env="test", var_dir=tmp_path_factory.mktemp("var"), database_url=module_database, secret="s" * 40,
        limits="off", log_level="error",
    )  # fmt: skip
    routers = [
        receive("/hooks/standard", sender=StandardWebhooks(NEW, OLD, public_key(ED)), handle=pay, max_bytes=1000),
        receive("/hooks/github", sender=github("hub secret"), handle=pay),
        receive("/hooks/stripe", sender=Stripe("stripe secret"), handle=pay),
    ]
    async with opened(Freehold(settings=settings, metadata=[Base.metadata], routers=routers)) as found:
        yield found


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    async with house.stage(isolate=False, workers=False) as found:
        yield found


async def send(stage: Stage, path: str, body: bytes, headers: dict[str, str]) -> Any:
    async with stage.client() as client:
        return await client.post(path, content=body, headers={"content-type": "application/json", **headers})


async def paid(stage: Stage) -> int:
    async with stage.database.reading(system("test")) as db:
        return await db.scalar(select(func.count()).select_from(Payment)) or 0


def standard(body: bytes = BODY, *, name: str = "msg_1", secret: str = NEW, late: int = 0) -> dict[str, str]:
    return Message(name, datetime.now(UTC) - timedelta(seconds=late), body).headers([secret])


def stripe(body: bytes, *, late: int = 0) -> dict[str, str]:
    sent_at = int(datetime.now(UTC).timestamp()) - late
    signature = hmac.digest(b"stripe secret", f"{sent_at}.".encode() + body, "sha256").hex()
    return {"Stripe-Signature": f"t={sent_at},v1={'0' * 64},v1={signature},v0=x"}


async def test_W06_what_the_published_library_signs_is_taken(stage: Stage) -> None:
    sent_at = datetime.now(UTC)
    signature = Webhook(NEW).sign("msg_1", sent_at, BODY.decode())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": signature,
    }
    assert (await send(stage, "/hooks/standard", BODY, headers)).status_code == 204
    assert await paid(stage) == 1


async def test_W06_the_same_id_twice_has_one_effect(stage: Stage) -> None:
    answers = [await send(stage, "/hooks/standard", BODY, standard(secret=each)) for each in (NEW, OLD, ED)]
    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert await paid(stage) == 1
    await send(stage, "/hooks/standard", BODY, standard(name="msg_2"))
    assert await paid(stage) == 2


async def test_W06_twenty_at_once_have_one_effect(stage: Stage) -> None:
    answers = await asyncio.gather(*[send(stage, "/hooks/standard", BODY, standard()) for _ in range(20)])
    assert {answer.status_code for answer in answers} == {204}
    assert await paid(stage) == 1


FORGED: dict[
    str, tuple[bytes, Callable[[], dict[str, str]]]
] = {  # signed when sent: a signature is good for five minutes
    "longer": (BODY + b" ", standard),
    "changed": (BODY.replace(b"12", b"13"), standard),
    "other id": (BODY, lambda: standard() | {"webhook-id": "msg_2"}),
    "no id": (BODY, lambda: standard() | {"webhook-id": ""}),
    "no time": (BODY, lambda: standard() | {"webhook-timestamp": "soon"}),
    "no signature": (BODY, lambda: standard() | {"webhook-signature": ""}),
    "no real signature": (BODY, lambda: standard() | {"webhook-signature": "v1,%%% v2,x v1a,AAAA v1"}),
    "late": (BODY, lambda: standard(late=301)),
    "early": (BODY, lambda: standard(late=-900)),
    "other secret": (BODY, lambda: standard(secret=new_secret("v1"))),
}


@pytest.mark.parametrize("forged", FORGED)
async def test_W06_what_is_not_genuine_has_no_effect(stage: Stage, forged: str) -> None:
    body, headers = FORGED[forged]
    refused = await send(stage, "/hooks/standard", body, headers())
    assert (refused.status_code, refused.json()["code"]) == (400, "webhooks.not_genuine")
    async with stage.database.reading(system("test")) as db:
        assert (await db.execute(select(RECEIVED))).all() == []


async def test_a_message_that_was_refused_may_come_again(stage: Stage) -> None:
    person = Person(stage.client())
    assert (await person.get("/hooks/standard")).status == 405
    loss = b'{"amount": -1}'
    assert (await send(stage, "/hooks/standard", loss, standard(loss))).status_code == 409
    assert (await send(stage, "/hooks/standard", BODY, standard())).status_code == 204
    assert await paid(stage) == 1


async def test_a_body_may_be_so_long_and_no_longer(stage: Stage) -> None:
    long = b'{"amount": 1, "note": "' + b"x" * 1000 + b'"}'
    assert (await send(stage, "/hooks/standard", long, standard(long))).status_code == 413
    broken = b'{"amount": '
    assert (await send(stage, "/hooks/standard", broken, standard(broken))).status_code == 400


async def test_W06_githubs_signature_is_over_the_bytes_and_the_content_is_the_id(stage: Stage) -> None:
    signature = "sha256=" + hmac.digest(b"hub secret", BODY, "sha256").hex()
    for delivery in ("a", "b"):  # that header is not signed: it makes no new message of an old one
        headers = {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": delivery}
        assert (await send(stage, "/hooks/github", BODY, headers)).status_code == 204
    assert await paid(stage) == 1
    assert (await send(stage, "/hooks/github", BODY + b" ", {"X-Hub-Signature-256": signature})).status_code == 400
    assert (await send(stage, "/hooks/github", BODY, {})).status_code == 400


async def test_W06_stripes_signature_holds_for_five_minutes(stage: Stage) -> None:
    event = json.dumps({"id": "evt_1", "amount": 3}).encode()
    assert (await send(stage, "/hooks/stripe", event, stripe(event))).status_code == 204
    assert (await send(stage, "/hooks/stripe", event, stripe(event, late=10))).status_code == 204
    assert await paid(stage) == 1
    assert (await send(stage, "/hooks/stripe", event, stripe(event, late=301))).status_code == 400
    assert (await send(stage, "/hooks/stripe", event + b" ", stripe(event))).status_code == 400
    nameless = b'{"amount": 3}'
    assert (await send(stage, "/hooks/stripe", nameless, stripe(nameless))).status_code == 400


@pytest.mark.parametrize(
    "make", [StandardWebhooks, Stripe, github, lambda: StandardWebhooks("password"), lambda: Stripe("")]
)
def test_a_sender_without_a_secret_is_refused_at_the_start(make: Any) -> None:
    with pytest.raises(ConfigurationError):
        make()
