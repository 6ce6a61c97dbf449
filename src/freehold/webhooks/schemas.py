"""What owners of endpoints send and see. Which events there are is known only to the application: see `Shapes`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from annotated_types import Len
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from freehold.fields import Line
from freehold.resource.schemas import partial
from freehold.webhooks.tables import Disabled, Signature, State

_INPUT = ConfigDict(extra="forbid", strict=True)
_OUTPUT = ConfigDict(from_attributes=True)

Url = Annotated[Line, Field(min_length=1, max_length=2000, description="Where the events are sent: https://…")]
Description = Annotated[Line, Field(max_length=200)]


class DeliveryRead(BaseModel):
    """How one event fared on its way to one endpoint. What the receiver answered is not kept, save its status.

    pending: it is tried at `next_attempt_at`, always with the event's id as `webhook-id`. parked: after the last try;
    a redelivery begins anew. withheld: it was not sent, since the owner may not read the row any more.
    """

    model_config = _OUTPUT

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    event: str
    subject_id: str | None = Field(description="Of the row that the event is about; null for a test")
    state: State
    attempts: int
    next_attempt_at: datetime | None
    response_status: int | None = Field(description="Of the last try; null where nobody answered")
    error: str | None = Field(description="What was wrong with the last try")
    duration_ms: int | None
    delivered_at: datetime | None
    created_at: datetime


class EndpointSecret(BaseModel):
    """A new secret, shown this once. Until `former_until` each event carries a signature by the former one too."""

    secret: str | None = Field(description="whsec_…: what the receiver checks signatures with; null for v1a")
    public_key: str | None = Field(description="whpk_…: what the receiver checks v1a signatures with")
    former_until: datetime


class EndpointRead(BaseModel):
    """An address to which events are sent, as long as its owner may read what they are about.

    `failing_since`: no delivery has succeeded since. `disabled_because`: `owner` switched it off; `gone`, the receiver
    answered 410; `failing`, for days.
    """

    model_config = _OUTPUT

    id: UUID
    url: str
    events: list[str]
    description: str
    is_enabled: bool
    disabled_because: Disabled | None
    signature: Signature
    public_key: str | None = Field(description="whpk_…, of an endpoint with v1a signatures")
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime


class EndpointCreated(EndpointRead):
    """A new endpoint, with its secret, which is shown this once."""

    secret: str | None = Field(description="whsec_…: what the receiver checks signatures with; null for v1a")


def _distinct(names: list[Any]) -> list[Any]:
    return list(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class Shapes:
    """The schemas of an application with these events."""

    draft: type[BaseModel]
    changes: type[BaseModel]

    @classmethod
    def of(cls, names: tuple[str, ...]) -> Shapes:
        """The names are told by the schema, and any other is 422."""
        name: Any = Literal[names]
        events: Any = Annotated[list[name], Len(1, 100), AfterValidator(_distinct)]
        common: dict[str, Any] = {"url": (Url, ...), "events": (events, ...), "description": (Description, "")}
        draft = create_model(
            "WebhookEndpointDraft",
            __config__=_INPUT,
            __doc__="An address to which events are to be sent. signature: v1 (HMAC-SHA256) or v1a (Ed25519).",
            **common,
            signature=(Signature, "v1"),
        )
        whole = create_model("WebhookEndpoint", __config__=_INPUT, **common, is_enabled=(bool, True))
        return cls(draft, partial(whole, name="WebhookEndpointUpdate"))
