"""What owners do with their endpoints and deliveries. Each function runs in its caller's unit; none commits."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import delete, func, insert, select

from freehold.errors import Conflict, FieldError, Invalid
from freehold.jobs import carriage
from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.resource.merge import changed_values
from freehold.resource.principal import Principal
from freehold.store.database import Database
from freehold.store.session import Session
from freehold.store.turns import take_turn
from freehold.traffic import AddressRefused, Fetcher
from freehold.webhooks.dispatcher import Dispatcher
from freehold.webhooks.events import TEST
from freehold.webhooks.schemas import DeliveryRead, EndpointRead, EndpointSecret
from freehold.webhooks.sending import send
from freehold.webhooks.signing import new_secret, public_key
from freehold.webhooks.tables import EVENTS, SUBSCRIPTIONS, Signature, WebhookDelivery, WebhookEndpoint


class TooManyEndpoints(Conflict):
    """The owner has as many endpoints as one may have."""

    code, title = "webhooks.too_many", "Too many webhook endpoints"


class EndpointOff(Conflict):
    """The endpoint is switched off."""

    code, title = "webhooks.switched_off", "The endpoint is switched off"


async def require_receiver(database: Database, actor: Principal, draft: Any) -> None:
    """Refuse an address that leads inside, itself or by what its name stands for, or that would be sent to in the clear."""
    if "url" not in draft.model_fields_set:
        return
    fetcher = database.parts[Fetcher]
    try:
        fetcher.require_secret(draft.url)
        await fetcher.check_name(draft.url)
    except AddressRefused as refused:
        wrong = FieldError("address_refused", str(refused), pointer="/url")
        raise Invalid("Events cannot be sent there.", errors=[wrong]) from None


async def create(db: Session, actor: Principal, draft: Any) -> WebhookEndpoint:
    """Take on an endpoint. It sees what its maker may see, and no more than the scopes of this moment allow."""
    assert actor.id is not None
    await take_turn(db, "webhook endpoints", str(actor.id))
    mine = select(func.count()).select_from(WebhookEndpoint).where(WebhookEndpoint.owner_id == actor.id)
    if (await db.scalar(mine) or 0) >= db.part(Dispatcher).at_most:
        raise TooManyEndpoints("Remove one that is not needed any more.")
    endpoint = WebhookEndpoint(id=new_id(), owner_id=actor.id, acts_as=carriage.pack(actor), **draft.model_dump())
    _renew(db, endpoint)
    db.add(endpoint)
    await db.flush()
    await _subscribe(db, endpoint)
    return endpoint


async def change(db: Session, actor: Principal, endpoint: WebhookEndpoint, changes: BaseModel) -> WebhookEndpoint:
    """Change it. Another address is sent what its setter may see, by the scopes of that moment, and no more."""
    values = changed_values(endpoint, changes)
    for name, value in values.items():
        setattr(endpoint, name, value)
    if "url" in values:
        endpoint.acts_as = carriage.pack(actor)
    if "events" in values:
        await _subscribe(db, endpoint)
    if "is_enabled" in values:
        endpoint.disabled_because = None if endpoint.is_enabled else "owner"
    if values.get("is_enabled"):
        endpoint.failing_since = endpoint.rests_until = None
        await send.enqueue(db, key="send")
    return endpoint


async def rotate(db: Session, actor: Principal, endpoint: WebhookEndpoint) -> EndpointSecret:
    """Give it another secret. For a while events are signed by both, so that the receiver can change over."""
    endpoint.sealed_former_secret = endpoint.sealed_secret
    endpoint.former_secret_until = clock.now() + db.part(Dispatcher).overlap
    _renew(db, endpoint)
    return EndpointSecret(
        secret=endpoint.secret, public_key=endpoint.public_key, former_until=endpoint.former_secret_until
    )


async def test(db: Session, actor: Principal, endpoint: WebhookEndpoint) -> DeliveryRead:
    """Send it an event of type `webhook.test`; follow the delivery that is answered."""
    _make_ready(endpoint)
    event_id = new_id()
    event = {"id": event_id, "sequence": 0, "type": TEST, "data": {}, "occurred_at": clock.now()}
    await db.execute(insert(EVENTS).values(event))
    async with db.unscoped("a test is sent to one endpoint, by its owner") as system_db:
        owed = WebhookDelivery(
            endpoint_id=endpoint.id,
            owner_id=endpoint.owner_id,
            event_id=event_id,
            event=TEST,
            next_attempt_at=clock.now(),
        )
        system_db.add(owed)
        await system_db.flush()
        await send.enqueue(system_db, key="send")
        return DeliveryRead.model_validate(owed)


async def redeliver(db: Session, actor: Principal, delivery: WebhookDelivery) -> WebhookDelivery:
    """Send it once more, with as many tries as a new one, under the same `webhook-id`."""
    _make_ready(await db.get_one(WebhookEndpoint, delivery.endpoint_id))
    delivery.state, delivery.attempts, delivery.attempt = "pending", 0, None
    delivery.next_attempt_at, delivery.delivered_at = clock.now(), None
    await send.enqueue(db, key="send")
    return delivery


async def held_about(db: Session, owner_id: UUID) -> list[dict[str, Any]]:
    """Somebody's endpoints, for an export (`Identity(on_export=…)`). For a session in system scope."""
    mine = select(WebhookEndpoint).where(WebhookEndpoint.owner_id == owner_id).order_by(WebhookEndpoint.id)
    return [EndpointRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(mine)]


async def erase(db: Session, owner_id: UUID) -> None:
    """Remove the endpoints of somebody who leaves (`Identity(on_erase=…)`), and their log. For a session in system scope."""
    await db.execute(delete(WebhookEndpoint).where(WebhookEndpoint.owner_id == owner_id))


def _make_ready(endpoint: WebhookEndpoint) -> None:
    if not endpoint.is_enabled:
        raise EndpointOff('Switch it on first: PATCH {"is_enabled": true}.')
    endpoint.rests_until = None  # somebody asks for it now


def _renew(db: Session, endpoint: WebhookEndpoint) -> None:
    kind: Signature = endpoint.signature
    secret = new_secret(kind)
    endpoint.sealed_secret = db.part(Dispatcher).seal(secret, endpoint.id)
    endpoint.secret = secret if kind == "v1" else None
    endpoint.public_key = public_key(secret) if kind == "v1a" else None


async def _subscribe(db: Session, endpoint: WebhookEndpoint) -> None:
    await db.execute(delete(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.endpoint_id == endpoint.id))
    rows = [{"type": name, "endpoint_id": endpoint.id} for name in endpoint.events]
    await db.execute(insert(SUBSCRIPTIONS), rows)
