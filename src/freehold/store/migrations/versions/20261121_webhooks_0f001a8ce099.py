"""webhooks

Revision: 0f001a8ce099
Revises: 5d0a7be1c2f4
Created: 2026-11-21 22:10:49.731413
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "0f001a8ce099"
down_revision = "5d0a7be1c2f4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_webhook_endpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_because", sa.Enum("owner", "gone", "failing", native_enum=False, length=20), nullable=True),
        sa.Column("signature", sa.Enum("v1", "v1a", native_enum=False, length=8), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_former_secret", sa.LargeBinary(), nullable=True),
        sa.Column("former_secret_until", UTCDateTime(), nullable=True),
        sa.Column("failing_since", UTCDateTime(), nullable=True),
        sa.Column("rests_until", UTCDateTime(), nullable=True),
        sa.Column("acts_as", sa.JSON(), nullable=False, comment="who asked for it, with the scopes of that moment"),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_webhook_endpoints")),
    )
    with op.batch_alter_table("freehold_webhook_endpoints", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_webhook_endpoints_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_freehold_webhook_endpoints_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "freehold_webhook_events",
        sa.Column("id", sa.Uuid(), nullable=False, comment="the webhook-id of every delivery of it"),
        sa.Column(
            "sequence", sa.BigInteger(), nullable=False, comment="of the outbox: grows with each event about one object"
        ),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=True, comment="the key of the row that it is about; null: a test"),
        sa.Column(
            "data", sa.JSON(), nullable=False, comment="the row as it was, whole: each receiver is shown its part"
        ),
        sa.Column("occurred_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_webhook_events")),
    )
    with op.batch_alter_table("freehold_webhook_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_webhook_events_occurred_at"), ["occurred_at"], unique=False)

    op.create_table(
        "freehold_webhook_receipts",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False, comment="as its sender, or its content, says"),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "id", name=op.f("pk_freehold_webhook_receipts")),
    )
    with op.batch_alter_table("freehold_webhook_receipts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_webhook_receipts_received_at"), ["received_at"], unique=False)

    op.create_table(
        "freehold_webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column(
            "state", sa.Enum("pending", "delivered", "parked", "withheld", native_enum=False, length=20), nullable=False
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UTCDateTime(), nullable=True),
        sa.Column("attempt", sa.Uuid(), nullable=True, comment="under way; whoever started it writes down how it went"),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("delivered_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["freehold_webhook_endpoints.id"],
            name=op.f("fk_freehold_webhook_deliveries_endpoint_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["freehold_webhook_events.id"],
            name=op.f("fk_freehold_webhook_deliveries_event_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_webhook_deliveries")),
    )
    with op.batch_alter_table("freehold_webhook_deliveries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_webhook_deliveries_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            "ix_freehold_webhook_deliveries_due",
            ["next_attempt_at"],
            unique=False,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.create_index(batch_op.f("ix_freehold_webhook_deliveries_event_id"), ["event_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_freehold_webhook_deliveries_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index("uq_freehold_webhook_deliveries_event", ["endpoint_id", "event_id"], unique=True)

    op.create_table(
        "freehold_webhook_subscriptions",
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["freehold_webhook_endpoints.id"],
            name=op.f("fk_freehold_webhook_subscriptions_endpoint_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("type", "endpoint_id", name=op.f("pk_freehold_webhook_subscriptions")),
    )
    with op.batch_alter_table("freehold_webhook_subscriptions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_freehold_webhook_subscriptions_endpoint_id"), ["endpoint_id"], unique=False
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("freehold_webhook_subscriptions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_webhook_subscriptions_endpoint_id"))

    op.drop_table("freehold_webhook_subscriptions")
    with op.batch_alter_table("freehold_webhook_deliveries", schema=None) as batch_op:
        batch_op.drop_index("uq_freehold_webhook_deliveries_event")
        batch_op.drop_index(batch_op.f("ix_freehold_webhook_deliveries_owner_id"))
        batch_op.drop_index(batch_op.f("ix_freehold_webhook_deliveries_event_id"))
        batch_op.drop_index(
            "ix_freehold_webhook_deliveries_due",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.drop_index(batch_op.f("ix_freehold_webhook_deliveries_created_at"))

    op.drop_table("freehold_webhook_deliveries")
    with op.batch_alter_table("freehold_webhook_receipts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_webhook_receipts_received_at"))

    op.drop_table("freehold_webhook_receipts")
    with op.batch_alter_table("freehold_webhook_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_webhook_events_occurred_at"))

    op.drop_table("freehold_webhook_events")
    with op.batch_alter_table("freehold_webhook_endpoints", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_webhook_endpoints_owner_id"))
        batch_op.drop_index(batch_op.f("ix_freehold_webhook_endpoints_created_at"))

    op.drop_table("freehold_webhook_endpoints")
