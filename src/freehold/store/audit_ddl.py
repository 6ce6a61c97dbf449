"""The walls around the audit table: a record is added, sealed once, and never touched again.

Statements one by one, for `create_all` and for the migration of Freehold's own tables.
"""

from __future__ import annotations

_CONTENT = (
    "id",
    "recorded_at",
    "principal_id",
    "system_reason",
    "action",
    "subject_type",
    "subject_id",
    "before",
    "after",
    "details",
    "request_id",
)
_REFUSAL = "fh:audit records are append-only"


def _sqlite() -> list[str]:
    # `INSERT OR REPLACE` and `UPDATE OR REPLACE` remove rows without firing a DELETE trigger, so that a row which
    # stands in the way is refused before.
    unchanged = " AND ".join(f"NEW.{column} IS OLD.{column}" for column in _CONTENT)
    stop = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    return [
        (
            "CREATE TRIGGER freehold_audit_insert BEFORE INSERT ON freehold_audit"
            " WHEN NEW.sequence IS NOT NULL OR NEW.digest IS NOT NULL"
            f" OR EXISTS (SELECT 1 FROM freehold_audit WHERE id = NEW.id) {stop}"
        ),
        (
            "CREATE TRIGGER freehold_audit_update BEFORE UPDATE ON freehold_audit"
            " WHEN OLD.sequence IS NOT NULL OR NEW.sequence IS NULL OR NEW.digest IS NULL"
            " OR EXISTS (SELECT 1 FROM freehold_audit WHERE sequence = NEW.sequence)"
            f" OR NOT ({unchanged}) {stop}"
        ),
        f"CREATE TRIGGER freehold_audit_delete BEFORE DELETE ON freehold_audit {stop}",
    ]


def _postgresql() -> list[str]:
    # json has no equality; its text has.
    pairs = " OR ".join(f"NEW.{column}::text IS DISTINCT FROM OLD.{column}::text" for column in _CONTENT)
    return [
        (
            "CREATE OR REPLACE FUNCTION freehold_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN"
            " IF TG_OP = 'INSERT' THEN"
            " IF NEW.sequence IS NULL AND NEW.digest IS NULL THEN RETURN NEW; END IF;"
            " ELSIF TG_OP = 'UPDATE' THEN"
            " IF OLD.sequence IS NULL AND NEW.sequence IS NOT NULL AND NEW.digest IS NOT NULL"
            f" AND NOT ({pairs}) THEN RETURN NEW; END IF;"
            " END IF;"
            f" RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';"
            " END $guard$"
        ),
        (
            "CREATE TRIGGER freehold_audit_row BEFORE INSERT OR UPDATE OR DELETE ON freehold_audit"
            " FOR EACH ROW EXECUTE FUNCTION freehold_audit_guard()"
        ),
        (
            "CREATE TRIGGER freehold_audit_truncate BEFORE TRUNCATE ON freehold_audit"
            " FOR EACH STATEMENT EXECUTE FUNCTION freehold_audit_guard()"
        ),
    ]


AUDIT_DDL: dict[str, list[str]] = {"sqlite": _sqlite(), "postgresql": _postgresql()}


class AuditWalls:
    """The walls as a piece of schema that migrations carry (`table.info["fh_ddl"]`)."""

    name = "freehold_audit_walls"

    def create(self, dialect_name: str) -> list[str]:
        """Statements that put up the walls."""
        return AUDIT_DDL.get(dialect_name, [])

    def drop(self, dialect_name: str) -> list[str]:
        """Statements that take them down."""
        if dialect_name == "sqlite":
            return [f"DROP TRIGGER IF EXISTS freehold_audit_{event}" for event in ("insert", "update", "delete")]
        return [
            "DROP TRIGGER IF EXISTS freehold_audit_row ON freehold_audit",
            "DROP TRIGGER IF EXISTS freehold_audit_truncate ON freehold_audit",
            "DROP FUNCTION IF EXISTS freehold_audit_guard()",
        ]
