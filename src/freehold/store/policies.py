"""Row-level security on PostgreSQL, from the access rules: put up by `freehold migrate up`, compared at every start."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, MetaData, Table, text

from freehold.store.invariant_sql import SqlText
from freehold.store.invariants import Statement
from freehold.store.policy_wall import BODY, TAKE_DOWN, TableWall
from freehold.store.protection import Registry
from freehold.store.rule_text import quoted

HELPERS: Final = (
    """CREATE OR REPLACE FUNCTION fh_caller(key text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
         AS $fh$ SELECT NULLIF(current_setting('freehold.caller', true), '')::jsonb ->> key $fh$""",
    """CREATE OR REPLACE FUNCTION fh_claim(name text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
         AS $fh$ SELECT NULLIF(current_setting('freehold.caller', true), '')::jsonb -> 'claims' ->> name $fh$""",
    """CREATE OR REPLACE FUNCTION fh_has(key text, name text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
         AS $fh$ SELECT coalesce(NULLIF(current_setting('freehold.caller', true), '')::jsonb -> key ? name, false) $fh$""",
    """CREATE OR REPLACE FUNCTION fh_role(name text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
         AS $fh$ SELECT fh_has('roles', name) $fh$""",
    """CREATE OR REPLACE FUNCTION fh_scope(name text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
         AS $fh$ SELECT coalesce(fh_caller('id'), fh_caller('key')) IS NOT NULL
                    AND (fh_caller('scopes') IS NULL OR fh_has('scopes', name)) $fh$""",
)
_STANDING = text(
    f"""
SELECT c.relname AS on_table, c.relrowsecurity AS is_on, p.polname AS policy,
       obj_description(p.oid, 'pg_policy') AS comment, {BODY} AS body
  FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
 WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) AND c.relname = ANY(:tables)
"""
)
_FUNCTIONS = text(
    """
SELECT p.proname, btrim(p.prosrc, E'\\n') AS body FROM pg_proc p
 WHERE p.prosecdef AND pg_function_is_visible(p.oid) AND p.proname LIKE 'fh\\_rule\\_%'
"""
)
# Triggers of invariants look at rows that the caller may not see: they count all of them.
_LOOKERS = text(
    """
SELECT p.oid::regprocedure::text FROM pg_proc p
 WHERE NOT p.prosecdef AND pg_function_is_visible(p.oid) AND p.prorettype = 'trigger'::regtype AND p.proname LIKE 'fh\\_%'
"""
)
# A view reads with the rights of its owner, past every policy, unless it is told to use the caller's.
_VIEWS = text(
    """
SELECT DISTINCT v.oid::regclass::text FROM pg_class v
  JOIN pg_rewrite r ON r.ev_class = v.oid
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
  JOIN pg_class t ON t.oid = d.refobjid
 WHERE v.relkind = 'v' AND t.relname = ANY(:tables) AND pg_table_is_visible(t.oid) AND t.relkind IN ('r', 'p')
   AND NOT coalesce('security_invoker=true' = ANY(v.reloptions) OR 'security_invoker=on' = ANY(v.reloptions), false)
"""
)

OPEN: Final = "has no row-level security"
ALTERED: Final = "has other policies than its rules ask for"
COUNTS: Final = "is a trigger that would count only what its caller may see"
VIEW: Final = "is a view that reads with its owner's rights"


def drift(connection: Connection, registry: Registry, *, reader: str | None = None) -> dict[str, str]:
    """What does not stand as declared: table, function or view -> what is wrong, in words. None on SQLite.

    reader: the role that policies let through. Tables that are not there are passed over.
    """
    if connection.dialect.name != "postgresql":
        return {}
    names = {"tables": [each.table.name for each in registry.tables.values()]}
    standing: dict[str, dict[str, str]] = {}
    opened = set()
    for row in connection.execute(_STANDING, names):
        sealed = (row.comment or "").startswith("fh:") and row.comment.endswith(f":{row.body}")
        standing.setdefault(row.on_table, {})[row.policy] = row.comment.split(":")[1] if sealed else "by hand"
        if not row.is_on:
            opened.add(row.on_table)
    functions = {row.proname: row.body for row in connection.execute(_FUNCTIONS)}
    found = dict.fromkeys(sorted(opened), OPEN)
    for protection in registry.tables.values():
        wall = TableWall(protection, reader)
        if wall.name in standing and not wall.stands(standing[wall.name], functions):
            found.setdefault(wall.name, ALTERED)
    found |= dict.fromkeys(connection.execute(_LOOKERS).scalars(), COUNTS)
    return found | dict.fromkeys(connection.execute(_VIEWS, names).scalars(), VIEW)


def put_up(connection: Connection, registry: Registry, *, reader: str | None = None) -> list[str]:
    """Make the database keep the rules as they are declared now; the names of what was changed.

    In the transaction that is open: each changed table is locked to its end. For the owner of the tables.
    """
    faults = drift(connection, registry, reader=reader)
    if any(fault in (OPEN, ALTERED) for fault in faults.values()):
        for helper in HELPERS:
            connection.execute(Statement(helper))
    for name, fault in faults.items():
        connection.execute(Statement(_remedy(name, fault, registry, reader)))
    return sorted(faults)


def _remedy(name: str, fault: str, registry: Registry, reader: str | None) -> str:
    if fault == VIEW:
        return f"ALTER VIEW {name} SET (security_invoker = true)"
    if fault == COUNTS:
        return f"ALTER FUNCTION {name} SECURITY DEFINER"
    protection = registry.find(name)
    assert protection is not None
    return TableWall(protection, reader).script()


def take_down(connection: Connection, table: str, schema: str | None = None) -> None:
    """Drop the policies of a table and what they ask, so that its columns can change; it stays closed meanwhile."""
    own = SqlText(Table(table, MetaData(schema=schema)), "postgresql").own
    script = TAKE_DOWN.format(table=quoted(own), own=own)
    connection.execute(Statement(f"DO $wall$\nDECLARE each record;\nBEGIN\n{script}\nEND\n$wall$"))
