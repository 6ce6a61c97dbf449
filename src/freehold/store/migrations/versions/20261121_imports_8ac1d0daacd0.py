"""imports

Revision: 8ac1d0daacd0
Revises: 3ebf69f6c80d
Created: 2026-11-21 19:19:27.808551
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "8ac1d0daacd0"
down_revision = "3ebf69f6c80d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False, comment="of the file, what is done with it, and as whom"),
        sa.Column("principal_id", sa.Uuid(), nullable=True, comment="null: the system"),
        sa.Column("is_dry", sa.Boolean(), nullable=False),
        sa.Column("is_done", sa.Boolean(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False, comment="of the file, that have been dealt with"),
        sa.Column("counts", sa.JSON(), nullable=False, comment="of records, by what became of them"),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_imports")),
    )
    with op.batch_alter_table("freehold_imports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_imports_fingerprint"), ["fingerprint"], unique=False)
        batch_op.create_index(batch_op.f("ix_freehold_imports_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "freehold_import_remarks",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False, comment="where the record begins, from 1"),
        sa.Column("number", sa.Integer(), nullable=False, comment="of the remarks of one record"),
        sa.Column("column", sa.Text(), nullable=False, comment="empty: the whole record"),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("is_refusal", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["freehold_imports.id"],
            name=op.f("fk_freehold_import_remarks_import_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_id", "line", "number", name=op.f("pk_freehold_import_remarks")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("freehold_import_remarks")
    with op.batch_alter_table("freehold_imports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_imports_updated_at"))
        batch_op.drop_index(batch_op.f("ix_freehold_imports_fingerprint"))

    op.drop_table("freehold_imports")
