"""reviews

Revision: 5d157df900ff
Revises: 542987dfe482
Created: 2026-11-21 16:42:23.719643
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "5d157df900ff"
down_revision = "542987dfe482"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Enum("property", "guest", native_enum=False, length=20), nullable=False),
        sa.Column("property_id", sa.Uuid(), nullable=True),
        sa.Column("guest_id", sa.Uuid(), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author_name", sa.String(length=100), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.Column("closes_at", UTCDateTime(), nullable=False),
        sa.Column("published_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(property_id IS NULL) <> (guest_id IS NULL)", name=op.f("ck_reviews_one_subject")),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_reviews_rating")),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_reviews_author_id")),
        sa.ForeignKeyConstraint(["guest_id"], ["users.id"], name=op.f("fk_reviews_guest_id")),
        sa.ForeignKeyConstraint(["property_id"], ["properties.id"], name=op.f("fk_reviews_property_id")),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservations.id"], name=op.f("fk_reviews_reservation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reviews_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_guest_id"), ["guest_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_property_id"), ["property_id"], unique=False)
        batch_op.create_index("ix_reviews_publication", ["published_at", "closes_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_published_at"), ["published_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_rating"), ["rating"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_reservation_id"), ["reservation_id"], unique=False)

    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rating_count", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("rating_sum", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("rating_average", sa.Double(), server_default="0", nullable=False))
        batch_op.create_index(batch_op.f("ix_properties_rating_average"), ["rating_average"], unique=False)

    op.attach(
        "fh_imba_reviewed",
        postgresql=[
            "CREATE UNIQUE INDEX fh_imba_reviewed ON reviews (reservation_id, author_id)",
            "COMMENT ON INDEX fh_imba_reviewed IS 'fh:fh_imba_reviewed:69f17d54d99a:a75252512752'",
        ],
        sqlite=[
            "CREATE UNIQUE INDEX fh_imba_reviewed ON reviews (/*fh:fh_imba_reviewed:69f17d54d99a:356f861d06d8*/reservation_id, author_id, (reservation_id IS NULL))",
        ],
    )


def downgrade() -> None:
    """Take back."""
    op.detach(
        "fh_imba_reviewed",
        postgresql=[
            "DROP INDEX IF EXISTS fh_imba_reviewed",
        ],
        sqlite=[
            "DROP INDEX IF EXISTS fh_imba_reviewed",
        ],
    )
    with op.batch_alter_table("properties", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_properties_rating_average"))
        batch_op.drop_column("rating_average")
        batch_op.drop_column("rating_sum")
        batch_op.drop_column("rating_count")

    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reviews_reservation_id"))
        batch_op.drop_index(batch_op.f("ix_reviews_rating"))
        batch_op.drop_index(batch_op.f("ix_reviews_published_at"))
        batch_op.drop_index("ix_reviews_publication")
        batch_op.drop_index(batch_op.f("ix_reviews_property_id"))
        batch_op.drop_index(batch_op.f("ix_reviews_guest_id"))
        batch_op.drop_index(batch_op.f("ix_reviews_created_at"))
        batch_op.drop_index(batch_op.f("ix_reviews_author_id"))

    op.drop_table("reviews")
