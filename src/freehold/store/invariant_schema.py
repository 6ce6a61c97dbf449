"""The declared invariants against the walls that stand in a schema."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from freehold.errors import ConfigurationError
from freehold.store.invariant_walls import Bound, Seal, Wall, digest, read_seal
from freehold.store.invariants import Registry, Statement, build, walls

_SQLITE = text(
    "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND name LIKE 'fh\\_%' ESCAPE '\\'"
)
_POSTGRESQL = text(
    """
SELECT 'index' AS kind, c.relname AS name, t.relname AS on_table, NULL AS body, i.indisvalid AS works,
       obj_description(c.oid, 'pg_class') AS comment
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
 WHERE pg_table_is_visible(t.oid) AND c.relname LIKE 'fh\\_%'
   AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = c.oid)
UNION ALL
SELECT 'constraint', k.conname, t.relname, NULL, k.convalidated, obj_description(k.oid, 'pg_constraint')
  FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
 WHERE pg_table_is_visible(t.oid) AND k.conname LIKE 'fh\\_%' AND k.contype IN ('c', 'x')
UNION ALL
SELECT 'trigger', g.tgname, t.relname, NULL, g.tgenabled IN ('O', 'A'), obj_description(g.oid, 'pg_trigger')
  FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
 WHERE pg_table_is_visible(t.oid) AND g.tgname LIKE 'fh\\_%' AND NOT g.tgisinternal
UNION ALL
SELECT 'function', p.proname, '', p.prosrc, true, obj_description(p.oid, 'pg_proc')
  FROM pg_proc p
 WHERE pg_function_is_visible(p.oid) AND p.proname LIKE 'fh\\_%'
"""
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A wall as it stands. seal: None when it is not one of ours any more. works: enabled, valid and unaltered."""

    kind: str
    name: str
    table: str
    seal: Seal | None
    works: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """A declared rule that does not stand as declared. faults: what is wrong with it, in words."""

    bound: Bound
    faults: tuple[str, ...]


def standing(connection: Connection) -> dict[tuple[str, str], Standing]:
    """Every wall in the schema, by kind and name."""
    found = _sqlite(connection) if connection.dialect.name == "sqlite" else _postgresql(connection)
    return {(wall.kind, wall.name): wall for wall in found}


def drift(connection: Connection, registry: Registry) -> list[Drift]:
    """The declared rules that are missing, altered, switched off, or built from another declaration."""
    there = standing(connection)
    has_gist = connection.dialect.name == "postgresql" and bool(
        connection.scalar(text("SELECT count(*) FROM pg_extension WHERE extname = 'btree_gist'"))
    )
    found = []
    for bound in registry.bounds():
        faults = [
            fault
            for wall in walls(bound, connection.dialect.name)
            if wall.kind != "touch" and (fault := _fault(wall, there.get((wall.kind, wall.name)), has_gist=has_gist))
        ]
        if faults:
            found.append(Drift(bound, tuple(faults)))
    return found


def missing(connection: Connection, registry: Registry) -> list[str]:
    """One sentence for each declared rule that the schema does not keep as declared; empty when all is well."""
    return [
        f"the rule {item.bound.name} on {item.bound.table.name} is not kept: {', '.join(item.faults)}"
        for item in drift(connection, registry)
    ]


def undeclared(connection: Connection, registry: Registry) -> list[Standing]:
    """Walls in the schema of rules that nothing declares any more."""
    declared = {bound.name for bound in registry.bounds()}
    tables = {table.name for metadata in registry.metadata for table in metadata.tables.values()}
    return [
        wall
        for wall in standing(connection).values()
        if wall.seal is not None and wall.seal.rule not in declared and wall.table in tables
    ]


def repair(connection: Connection, registry: Registry) -> list[str]:
    """Build anew every declared rule that does not stand as declared; gives back their names.

    For development and tests: elsewhere a migration does it. Raises ConfigurationError when the rows break the rule.
    """
    repaired = []
    for item in drift(connection, registry):
        try:
            _rebuild(connection, item.bound)
        except DBAPIError as error:
            raise ConfigurationError(
                f"the rule {item.bound.name} cannot be put up: rows of {item.bound.table.name} break it"
            ) from error
        repaired.append(item.bound.name)
    return repaired


def _rebuild(connection: Connection, bound: Bound) -> None:
    plan = walls(bound, connection.dialect.name)
    for wall in reversed(plan):
        for statement in wall.drop:
            connection.execute(Statement(statement))
    for wall in plan:
        build(connection, wall)


def _fault(wall: Wall, there: Standing | None, *, has_gist: bool) -> str | None:
    what = f"{wall.kind} {wall.name}"
    if there is None:
        return None if wall.optional and not has_gist else f"{what} is missing"
    if there.seal is None:
        return f"{what} was replaced by hand"
    if there.seal.declared != wall.seal.declared:
        return f"{what} was built from another declaration"
    return None if there.works else f"{what} was altered or switched off"


def _sqlite(connection: Connection) -> list[Standing]:
    found = []
    for row in connection.execute(_SQLITE):
        seal = read_seal(row.sql)
        works = seal is not None and digest(row.sql) == seal.body
        found.append(Standing(row.type, row.name, row.tbl_name, seal, works))
    return found


def _postgresql(connection: Connection) -> list[Standing]:
    found = []
    for row in connection.execute(_POSTGRESQL):
        seal = read_seal(row.comment)
        whole = row.body is None or (seal is not None and digest(row.body) == seal.body)
        found.append(Standing(row.kind, row.name, row.on_table, seal, bool(row.works) and whole))
    return found
