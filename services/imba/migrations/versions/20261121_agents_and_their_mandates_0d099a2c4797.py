"""agents and their mandates

Revision: 0d099a2c4797
Revises: 0fd721f88226
Created: 2026-11-21 19:50:17.386872
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "0d099a2c4797"
down_revision = "0fd721f88226"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "mandates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("landlord_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("property_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Enum("offered", "active", "ended", native_enum=False, length=20), nullable=False),
        sa.Column("accepted_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name=op.f("fk_mandates_agent_id")),
        sa.ForeignKeyConstraint(["landlord_id"], ["users.id"], name=op.f("fk_mandates_landlord_id")),
        sa.ForeignKeyConstraint(["property_id"], ["properties.id"], name=op.f("fk_mandates_property_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandates")),
    )
    with op.batch_alter_table("mandates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mandates_agent_id"), ["agent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_mandates_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_mandates_landlord_id"), ["landlord_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_mandates_property_id"), ["property_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_mandates_status"), ["status"], unique=False)

    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.add_column(sa.Column("agent_id", sa.Uuid(), nullable=True))
        batch_op.create_index(batch_op.f("ix_properties_agent_id"), ["agent_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_properties_agent_id"), "users", ["agent_id"], ["id"])

    op.attach(
        "fh_imba_mandated",
        postgresql=[
            "CREATE UNIQUE INDEX fh_imba_mandated ON mandates (property_id) WHERE (status IN ('offered', 'active'))",
            "COMMENT ON INDEX fh_imba_mandated IS 'fh:fh_imba_mandated:46717be0e7a0:47db99d0950e'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_imba_mandated ON mandates (/*fh:fh_imba_mandated:46717be0e7a0:72f0720829a4*/property_id, (property_id IS NULL)) WHERE (status IN ('offered', 'active'))",
        ],
    )


def downgrade() -> None:
    """Take back."""
    op.detach(
        "fh_imba_mandated",
        postgresql=[
            "DROP INDEX IF EXISTS fh_imba_mandated",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_imba_mandated",
        ],
    )
    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_properties_agent_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_properties_agent_id"))
        batch_op.drop_column("agent_id")

    with op.batch_alter_table("mandates", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mandates_status"))
        batch_op.drop_index(batch_op.f("ix_mandates_property_id"))
        batch_op.drop_index(batch_op.f("ix_mandates_landlord_id"))
        batch_op.drop_index(batch_op.f("ix_mandates_created_at"))
        batch_op.drop_index(batch_op.f("ix_mandates_agent_id"))

    op.drop_table("mandates")
