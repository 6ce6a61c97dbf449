"""The rows behind webhooks: who is told of what, what was to be told, and how that went.

Endpoints and deliveries are resources, for their owners; the others are not shown to anybody.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias, cast
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, Enum, ForeignKey, Index, LargeBinary, String, Table, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from freehold.resource import clock
from freehold.resource.base import Base, UTCDateTime
from freehold.store.ledger import LEDGER

Signature: TypeAlias = Literal["v1", "v1a"]
Disabled: TypeAlias = Literal["owner", "gone", "failing"]
State: TypeAlias = Literal["pending", "delivered", "parked", "withheld"]

PENDING = text("state = 'pending'")

EVENTS = Table(
    "freehold_webhook_events",
    LEDGER,
    Column("id", Uuid, primary_key=True, comment="the webhook-id of every delivery of it"),
    Column("sequence", BigInteger, nullable=False, comment="of the outbox: grows with each event about one object"),
    Column("type", Text, nullable=False),
    Column("subject_id", Text, nullable=True, comment="the key of the row that it is about; null: a test"),
    Column("data", JSON, nullable=False, comment="the row as it was, whole: each receiver is shown its part"),
    Column("occurred_at", UTCDateTime, nullable=False, index=True),
)

SUBSCRIPTIONS = Table(
    "freehold_webhook_subscriptions",
    LEDGER,
    Column("type", Text, primary_key=True),
    Column(
        "endpoint_id", Uuid, ForeignKey("freehold_webhook_endpoints.id", ondelete="CASCADE"), primary_key=True, index=True
    ),
)  # fmt: skip

RECEIVED = Table(
    "freehold_webhook_receipts",
    LEDGER,
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True, comment="as its sender, or its content, says"),
    Column("received_at", UTCDateTime, nullable=False, default=clock.now, index=True),
)


class _Owned(Base):
    """A base whose tables come with Freehold's own history."""

    __abstract__ = True
    metadata = LEDGER


class WebhookEndpoint(_Owned):
    """An address of somebody's to which events are sent. `secret` is there once, on the row that was just made."""

    __tablename__ = "freehold_webhook_endpoints"

    secret = cast("str | None", None)

    owner_id: Mapped[UUID] = mapped_column(index=True)
    url: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")
    events: Mapped[list[str]] = mapped_column(JSON)
    is_enabled: Mapped[bool] = mapped_column(default=True)
    disabled_because: Mapped[Disabled | None] = mapped_column(
        Enum("owner", "gone", "failing", native_enum=False, length=20, create_constraint=False)
    )
    signature: Mapped[Signature] = mapped_column(
        Enum("v1", "v1a", native_enum=False, length=8, create_constraint=False), default="v1"
    )
    public_key: Mapped[str | None] = mapped_column(Text)
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_former_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_secret_until: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    rests_until: Mapped[datetime | None]
    acts_as: Mapped[dict[str, Any]] = mapped_column(JSON, comment="who asked for it, with the scopes of that moment")


class WebhookDelivery(_Owned):
    """One event on its way to one endpoint."""

    __tablename__ = "freehold_webhook_deliveries"

    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("freehold_webhook_endpoints.id", ondelete="CASCADE"))
    owner_id: Mapped[UUID] = mapped_column(index=True)
    event_id: Mapped[UUID] = mapped_column(ForeignKey("freehold_webhook_events.id", ondelete="CASCADE"), index=True)
    event: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[str | None] = mapped_column(Text)
    state: Mapped[State] = mapped_column(
        Enum("pending", "delivered", "parked", "withheld", native_enum=False, length=20, create_constraint=False),
        default="pending",
    )
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    attempt: Mapped[UUID | None] = mapped_column(comment="under way; whoever started it writes down how it went")
    response_status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(200))
    duration_ms: Mapped[int | None]
    delivered_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_freehold_webhook_deliveries_event", "endpoint_id", "event_id", unique=True),
        Index(
            "ix_freehold_webhook_deliveries_due", "next_attempt_at", sqlite_where=PENDING, postgresql_where=PENDING
        ),
    )  # fmt: skip


def table_of(model: type[Base]) -> Table:
    """The table behind a model, for statements that change many rows or none."""
    return cast("Table", model.__table__)
