"""threads and messages

Revision: 542987dfe482
Revises: 4c1a294dce5c
Created: 2026-11-21 16:25:33.592998
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "542987dfe482"
down_revision = "4c1a294dce5c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "threads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("property_id", sa.Uuid(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("landlord_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_name", sa.String(length=100), nullable=False),
        sa.Column("landlord_name", sa.String(length=100), nullable=False),
        sa.Column("message_count", sa.Integer(), nullable=False),
        sa.Column("tenant_unread", sa.Integer(), nullable=False),
        sa.Column("landlord_unread", sa.Integer(), nullable=False),
        sa.Column("last_message_at", UTCDateTime(), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["landlord_id"], ["users.id"], name=op.f("fk_threads_landlord_id")),
        sa.ForeignKeyConstraint(["property_id"], ["properties.id"], name=op.f("fk_threads_property_id")),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservations.id"], name=op.f("fk_threads_reservation_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["users.id"], name=op.f("fk_threads_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threads")),
    )
    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_threads_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_threads_landlord_id"), ["landlord_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_threads_last_message_at"), ["last_message_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_threads_property_id"), ["property_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_threads_reservation_id"), ["reservation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_threads_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["sender_id"], ["users.id"], name=op.f("fk_messages_sender_id")),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_messages_thread_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_messages_created_at"), ["created_at"], unique=False)
        batch_op.create_index("ix_messages_sent", ["sender_id", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_messages_thread_id"), ["thread_id"], unique=False)

    op.attach(
        "fh_imba_one_thread",
        postgresql=[
            "CREATE UNIQUE INDEX fh_imba_one_thread ON threads (property_id, tenant_id, reservation_id)",
            "COMMENT ON INDEX fh_imba_one_thread IS 'fh:fh_imba_one_thread:bd6d127aeb7c:4a3a3dfc499a'",
            "CREATE UNIQUE INDEX fh_imba_one_thread_null1 ON threads (property_id, tenant_id) WHERE reservation_id IS NULL",
            "COMMENT ON INDEX fh_imba_one_thread_null1 IS 'fh:fh_imba_one_thread:bd6d127aeb7c:f4c9ef24407a'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_imba_one_thread ON threads (/*fh:fh_imba_one_thread:bd6d127aeb7c:47927bf3e5df*/property_id, tenant_id, reservation_id, (property_id IS NULL))",
            "CREATE UNIQUE INDEX fh_imba_one_thread_null1 ON threads (/*fh:fh_imba_one_thread:bd6d127aeb7c:7b0ab690776b*/property_id, tenant_id, (property_id IS NULL)) WHERE reservation_id IS NULL",
        ],
    )
    op.attach(
        "fh_imba_message_number",
        postgresql=[
            "CREATE UNIQUE INDEX fh_imba_message_number ON messages (thread_id, number)",
            "COMMENT ON INDEX fh_imba_message_number IS 'fh:fh_imba_message_number:d38a0b6850ef:0e6761351ec6'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_imba_message_number ON messages (/*fh:fh_imba_message_number:d38a0b6850ef:d1ef74950aba*/thread_id, number, (thread_id IS NULL))",
        ],
    )


def downgrade() -> None:
    """Take back."""
    op.detach(
        "fh_imba_message_number",
        postgresql=[
            "DROP INDEX IF EXISTS fh_imba_message_number",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_imba_message_number",
        ],
    )
    op.detach(
        "fh_imba_one_thread",
        postgresql=[
            "DROP INDEX IF EXISTS fh_imba_one_thread_null1",
            "DROP INDEX IF EXISTS fh_imba_one_thread",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_imba_one_thread_null1",
            "DROP INDEX IF EXISTS fh_imba_one_thread",
        ],
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_messages_thread_id"))
        batch_op.drop_index("ix_messages_sent")
        batch_op.drop_index(batch_op.f("ix_messages_created_at"))

    op.drop_table("messages")
    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_threads_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_threads_reservation_id"))
        batch_op.drop_index(batch_op.f("ix_threads_property_id"))
        batch_op.drop_index(batch_op.f("ix_threads_last_message_at"))
        batch_op.drop_index(batch_op.f("ix_threads_landlord_id"))
        batch_op.drop_index(batch_op.f("ix_threads_created_at"))

    op.drop_table("threads")
