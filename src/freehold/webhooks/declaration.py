"""`Webhooks`: the events of an application, and who may be told of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from freehold.errors import ConfigurationError
from freehold.jobs import Job, Principals
from freehold.resource.access import Access, Rule, nobody, owner, signed_in
from freehold.resource.declaration import Queries, Resource, Schemas
from freehold.webhooks import endpoints
from freehold.webhooks.dispatcher import Tell
from freehold.webhooks.events import Event
from freehold.webhooks.fanning import fan_out
from freehold.webhooks.schemas import DeliveryRead, EndpointCreated, EndpointRead, EndpointSecret, Shapes
from freehold.webhooks.sending import send
from freehold.webhooks.tables import WebhookDelivery, WebhookEndpoint
from freehold.webhooks.upkeep import sweep

_OWN = owner("owner_id")


@dataclass(slots=True, eq=False)
class Webhooks:
    """Declare what others may be told of; give it as `Freehold(..., webhooks=Webhooks([confirmed, cancelled]))`.

    access: who may have endpoints; the rule asks for the caller. at_most: endpoints of one owner. overlap: how long
    after a change of its secret an endpoint is sent signatures by the former one too. gives_up_after: an endpoint that
    has failed for so long is switched off. kept_for: how long events, and how they fared, can be looked at.
    principals: from an id to its caller as they stand now; the accounts of the application where not given.
    tell: `(db, switched_off)`, owes an owner a word about an endpoint that was switched off; a mail where not given.
    Raises ConfigurationError.
    """

    events: Sequence[Event]
    access: Rule = signed_in
    at_most: int = 20
    overlap: timedelta = timedelta(hours=24)
    gives_up_after: timedelta = timedelta(days=5)
    kept_for: timedelta = timedelta(days=30)
    principals: Principals | None = None
    tell: Tell | None = None
    endpoints: Resource = field(init=False)
    deliveries: Resource = field(init=False)

    def __post_init__(self) -> None:
        """Check the declaration and make the resources."""
        names = [event.name for event in self.events]
        twice = sorted({name for name in names if names.count(name) > 1})
        if not names or twice:
            raise ConfigurationError(f"webhooks: {'declared twice: ' + ', '.join(twice) if twice else 'name an Event'}")
        self.deliveries = _deliveries()
        self.endpoints = _endpoints(Shapes.of(tuple(sorted(names))), self.access)
        self.endpoints.nested("deliveries", self.deliveries, by="endpoint_id", writable=False)

    @property
    def jobs(self) -> list[Job[Any]]:
        """What has to run somewhere."""
        return [fan_out, send, sweep]


def _endpoints(shapes: Shapes, access: Rule) -> Resource:
    resource = Resource(
        WebhookEndpoint,
        name="webhook-endpoints",
        schemas=Schemas(
            read=EndpointRead, create=shapes.draft, update=shapes.changes, created=EndpointCreated
        ),
        create=endpoints.create,
        update=endpoints.change,
        prepare=endpoints.require_receiver,
        access=Access(read=_OWN, create=access, update=_OWN, delete=_OWN),
        owner="owner_id",
        queries=Queries(filters=["is_enabled"], sort=["-created_at"]),
        problems=[endpoints.TooManyEndpoints],
        untracked=["sealed_secret", "sealed_former_secret", "acts_as"],
    )  # fmt: skip
    resource.action(
        "secret-rotation", endpoints.rotate, access=_OWN, returns=EndpointSecret, summary="Change the secret"
    )
    resource.action(
        "test", endpoints.test, access=_OWN, returns=DeliveryRead, summary="Send it a test event",
        problems=[endpoints.EndpointOff],
    )  # fmt: skip
    return resource


def _deliveries() -> Resource:
    resource = Resource(
        WebhookDelivery,
        name="webhook-deliveries",
        schemas=Schemas(read=DeliveryRead),
        access=Access(read=_OWN, write=nobody),
        owner="owner_id",
        queries=Queries(filters=["endpoint_id", "event_id", "event", "state", "subject_id"], sort=["-created_at"]),
        untracked=["attempt"],
    )
    resource.action(
        "redelivery", endpoints.redeliver, access=_OWN, summary="Send it once more", problems=[endpoints.EndpointOff]
    )
    return resource
