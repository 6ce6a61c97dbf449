"""own tables

Revision: 50cf110a5906
Revises: nothing
Created: 2026-11-21 10:19:06.748212
"""

import sqlalchemy as sa
from alembic import op

from freehold.resource.base import UTCDateTime

revision = "50cf110a5906"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "freehold_audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=True, comment="who acted; null for nobody and for the system"),
        sa.Column("system_reason", sa.Text(), nullable=True, comment="why no caller's rule applied, where none did"),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True, comment="given by the sealer"),
        sa.Column("digest", sa.LargeBinary(), nullable=True, comment="given by the sealer"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_audit")),
    )
    with op.batch_alter_table("freehold_audit", schema=None) as batch_op:
        batch_op.create_index("ix_freehold_audit_subject", ["subject_type", "subject_id", "id"], unique=False)
        batch_op.create_index(
            "ix_freehold_audit_unsealed",
            ["id"],
            unique=False,
            sqlite_where=sa.text("sequence IS NULL"),
            postgresql_where=sa.text("sequence IS NULL"),
        )
        batch_op.create_index("uq_freehold_audit_sequence", ["sequence"], unique=True)

    op.create_table(
        "freehold_audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="of the record that was sealed last"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_audit_head")),
    )
    op.create_table(
        "freehold_idempotency",
        sa.Column("id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_idempotency")),
    )
    with op.batch_alter_table("freehold_idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_idempotency_created_at"), ["created_at"], unique=False)

    op.create_table(
        "freehold_jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False, comment="emptied when done: it may hold personal data"),
        sa.Column(
            "principal",
            sa.JSON(),
            nullable=False,
            comment="who enqueued it: id, roles then, scopes, or the system's reason",
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("unique_key", sa.Text(), nullable=True, comment="at most one waiting job of this name has it"),
        sa.Column("run_at", UTCDateTime(), nullable=False),
        sa.Column(
            "attempts", sa.Integer(), nullable=False, comment="counted at the claim, so that a killed worker counts"
        ),
        sa.Column("failures", sa.Integer(), nullable=False, comment="attempts that ended in a recorded failure"),
        sa.Column("lease_token", sa.Uuid(), nullable=True, comment="changes with every claim"),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True, comment="the last failure, without values"),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_jobs")),
    )
    with op.batch_alter_table("freehold_jobs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_freehold_jobs_dead",
            ["id"],
            unique=False,
            sqlite_where=sa.text("state = 'dead'"),
            postgresql_where=sa.text("state = 'dead'"),
        )
        batch_op.create_index(
            "ix_freehold_jobs_done",
            ["finished_at"],
            unique=False,
            sqlite_where=sa.text("state = 'done'"),
            postgresql_where=sa.text("state = 'done'"),
        )
        batch_op.create_index(
            "ix_freehold_jobs_lease",
            ["lease_until"],
            unique=False,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )
        batch_op.create_index(
            "ix_freehold_jobs_ready",
            ["run_at", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'ready'"),
            postgresql_where=sa.text("state = 'ready'"),
        )
        batch_op.create_index(
            "uq_freehold_jobs_waiting",
            ["name", "unique_key"],
            unique=True,
            sqlite_where=sa.text("state = 'ready' AND unique_key IS NOT NULL"),
            postgresql_where=sa.text("state = 'ready' AND unique_key IS NOT NULL"),
        )

    op.create_table(
        "freehold_one_time_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column(
            "email_key", sa.String(length=960), nullable=False, comment="it proves this address and no later one"
        ),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_freehold_one_time_tokens")),
    )
    with op.batch_alter_table("freehold_one_time_tokens", schema=None) as batch_op:
        batch_op.create_index("uq_freehold_one_time_tokens_owner", ["user_id", "purpose"], unique=True)

    op.create_table(
        "freehold_outbox",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False, comment="what a receiver tells a repetition by"),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="events with one key are delivered in order"),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_freehold_outbox")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("freehold_outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_freehold_outbox_due",
            ["sequence"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index(
            "ix_freehold_outbox_ended",
            ["ended_at"],
            unique=False,
            sqlite_where=sa.text("state = 'delivered'"),
            postgresql_where=sa.text("state = 'delivered'"),
        )
        batch_op.create_index(
            "ix_freehold_outbox_waiting",
            ["key", "sequence"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "freehold_schedules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False, comment="the declaration that next_at was computed from"),
        sa.Column("next_at", UTCDateTime(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=True, comment="the tick that was fired last"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_freehold_schedules")),
    )
    op.create_table(
        "freehold_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=True, comment="null: unrestricted"),
        sa.Column("created_at", UTCDateTime(), nullable=False, comment="when the password was given"),
        sa.Column("last_used_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False, comment="the absolute end"),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=32), nullable=True, comment="logout, password, reuse, account, staff"),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("address_key", sa.String(length=64), nullable=False, comment="what limits count: IPv4, or the /64"),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freehold_sessions")),
    )
    with op.batch_alter_table("freehold_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "freehold_signing_keys",
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.String(length=16),
            nullable=False,
            comment="next (published), active (signs), retired (verifies)",
        ),
        sa.Column("public_key", sa.LargeBinary(), nullable=False, comment="32 bytes, Ed25519"),
        sa.Column("sealed_private_key", sa.LargeBinary(), nullable=True, comment="gone once retired"),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("activated_at", UTCDateTime(), nullable=True),
        sa.Column("expires_at", UTCDateTime(), nullable=True, comment="retired: when its last token is over"),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_freehold_signing_keys")),
    )
    with op.batch_alter_table("freehold_signing_keys", schema=None) as batch_op:
        batch_op.create_index(
            "uq_freehold_signing_keys_active",
            ["state"],
            unique=True,
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )
        batch_op.create_index(
            "uq_freehold_signing_keys_next",
            ["state"],
            unique=True,
            sqlite_where=sa.text("state = 'next'"),
            postgresql_where=sa.text("state = 'next'"),
        )

    op.create_table(
        "freehold_refresh_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False, comment="the idle end, never past the absolute one"),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.Column("successor_hash", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_answer", sa.LargeBinary(), nullable=True, comment="for a retry within the grace window"),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["freehold_sessions.id"],
            name=op.f("fk_freehold_refresh_tokens_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_freehold_refresh_tokens")),
    )
    with op.batch_alter_table("freehold_refresh_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freehold_refresh_tokens_session_id"), ["session_id"], unique=False)

    op.attach(
        "freehold_audit_walls",
        postgresql=[
            "CREATE OR REPLACE FUNCTION freehold_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN IF TG_OP = 'INSERT' THEN IF NEW.sequence IS NULL AND NEW.digest IS NULL THEN RETURN NEW; END IF; ELSIF TG_OP = 'UPDATE' THEN IF OLD.sequence IS NULL AND NEW.sequence IS NOT NULL AND NEW.digest IS NOT NULL AND NOT (NEW.id::text IS DISTINCT FROM OLD.id::text OR NEW.recorded_at::text IS DISTINCT FROM OLD.recorded_at::text OR NEW.principal_id::text IS DISTINCT FROM OLD.principal_id::text OR NEW.system_reason::text IS DISTINCT FROM OLD.system_reason::text OR NEW.action::text IS DISTINCT FROM OLD.action::text OR NEW.subject_type::text IS DISTINCT FROM OLD.subject_type::text OR NEW.subject_id::text IS DISTINCT FROM OLD.subject_id::text OR NEW.before::text IS DISTINCT FROM OLD.before::text OR NEW.after::text IS DISTINCT FROM OLD.after::text OR NEW.details::text IS DISTINCT FROM OLD.details::text OR NEW.request_id::text IS DISTINCT FROM OLD.request_id::text) THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'fh:audit records are append-only' USING ERRCODE = 'integrity_constraint_violation'; END $guard$",
            "CREATE TRIGGER freehold_audit_row BEFORE INSERT OR UPDATE OR DELETE ON freehold_audit FOR EACH ROW EXECUTE FUNCTION freehold_audit_guard()",
            "CREATE TRIGGER freehold_audit_truncate BEFORE TRUNCATE ON freehold_audit FOR EACH STATEMENT EXECUTE FUNCTION freehold_audit_guard()",
        ],
        sqlite=[
            "CREATE TRIGGER freehold_audit_insert BEFORE INSERT ON freehold_audit WHEN NEW.sequence IS NOT NULL OR NEW.digest IS NOT NULL OR EXISTS (SELECT 1 FROM freehold_audit WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'fh:audit records are append-only'); END",
            "CREATE TRIGGER freehold_audit_update BEFORE UPDATE ON freehold_audit WHEN OLD.sequence IS NOT NULL OR NEW.sequence IS NULL OR NEW.digest IS NULL OR EXISTS (SELECT 1 FROM freehold_audit WHERE sequence = NEW.sequence) OR NOT (NEW.id IS OLD.id AND NEW.recorded_at IS OLD.recorded_at AND NEW.principal_id IS OLD.principal_id AND NEW.system_reason IS OLD.system_reason AND NEW.action IS OLD.action AND NEW.subject_type IS OLD.subject_type AND NEW.subject_id IS OLD.subject_id AND NEW.before IS OLD.before AND NEW.after IS OLD.after AND NEW.details IS OLD.details AND NEW.request_id IS OLD.request_id) BEGIN SELECT RAISE(ABORT, 'fh:audit records are append-only'); END",
            "CREATE TRIGGER freehold_audit_delete BEFORE DELETE ON freehold_audit BEGIN SELECT RAISE(ABORT, 'fh:audit records are append-only'); END",
        ],
    )


def downgrade() -> None:
    """Take back."""
    op.detach(
        "freehold_audit_walls",
        postgresql=[
            "DROP TRIGGER IF EXISTS freehold_audit_row ON freehold_audit",
            "DROP TRIGGER IF EXISTS freehold_audit_truncate ON freehold_audit",
            "DROP FUNCTION IF EXISTS freehold_audit_guard()",
        ],
        sqlite=[
            "DROP TRIGGER IF EXISTS freehold_audit_insert",
            "DROP TRIGGER IF EXISTS freehold_audit_update",
            "DROP TRIGGER IF EXISTS freehold_audit_delete",
        ],
    )
    with op.batch_alter_table("freehold_refresh_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_refresh_tokens_session_id"))

    op.drop_table("freehold_refresh_tokens")
    with op.batch_alter_table("freehold_signing_keys", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_freehold_signing_keys_next",
            sqlite_where=sa.text("state = 'next'"),
            postgresql_where=sa.text("state = 'next'"),
        )
        batch_op.drop_index(
            "uq_freehold_signing_keys_active",
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.drop_table("freehold_signing_keys")
    with op.batch_alter_table("freehold_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_sessions_user_id"))

    op.drop_table("freehold_sessions")
    op.drop_table("freehold_schedules")
    with op.batch_alter_table("freehold_outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_freehold_outbox_waiting",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index(
            "ix_freehold_outbox_ended",
            sqlite_where=sa.text("state = 'delivered'"),
            postgresql_where=sa.text("state = 'delivered'"),
        )
        batch_op.drop_index(
            "ix_freehold_outbox_due",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.drop_table("freehold_outbox")
    with op.batch_alter_table("freehold_one_time_tokens", schema=None) as batch_op:
        batch_op.drop_index("uq_freehold_one_time_tokens_owner")

    op.drop_table("freehold_one_time_tokens")
    with op.batch_alter_table("freehold_jobs", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_freehold_jobs_waiting",
            sqlite_where=sa.text("state = 'ready' AND unique_key IS NOT NULL"),
            postgresql_where=sa.text("state = 'ready' AND unique_key IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_freehold_jobs_ready",
            sqlite_where=sa.text("state = 'ready'"),
            postgresql_where=sa.text("state = 'ready'"),
        )
        batch_op.drop_index(
            "ix_freehold_jobs_lease",
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )
        batch_op.drop_index(
            "ix_freehold_jobs_done", sqlite_where=sa.text("state = 'done'"), postgresql_where=sa.text("state = 'done'")
        )
        batch_op.drop_index(
            "ix_freehold_jobs_dead", sqlite_where=sa.text("state = 'dead'"), postgresql_where=sa.text("state = 'dead'")
        )

    op.drop_table("freehold_jobs")
    with op.batch_alter_table("freehold_idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freehold_idempotency_created_at"))

    op.drop_table("freehold_idempotency")
    op.drop_table("freehold_audit_head")
    with op.batch_alter_table("freehold_audit", schema=None) as batch_op:
        batch_op.drop_index("uq_freehold_audit_sequence")
        batch_op.drop_index(
            "ix_freehold_audit_unsealed",
            sqlite_where=sa.text("sequence IS NULL"),
            postgresql_where=sa.text("sequence IS NULL"),
        )
        batch_op.drop_index("ix_freehold_audit_subject")

    op.drop_table("freehold_audit")
