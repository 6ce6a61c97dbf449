"""What a declaration of resources asks of a database before its first statement: rules, walls, trails, purges, lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fastapi import FastAPI

from freehold.resource.access import Rule
from freehold.resource.declaration import Resource
from freehold.store.database import Database
from freehold.store.invariants import register
from freehold.store.lists import Askable, Lists
from freehold.store.purge import Purge, Purges
from freehold.store.soft_deletion import Mark, SoftDeletions
from freehold.store.trail import Trails
from freehold.web.mounting import Mounted


def declare(database: Database, resources: Sequence[Resource]) -> None:
    """Write the rules of the resources into every statement from now on, and tell the changes of their rows."""
    trails = database.parts.setdefault(Trails, Trails())
    marks = database.parts.setdefault(SoftDeletions, SoftDeletions())
    for resource in resources:
        database.registry.protect(resource.model, resource.access, extra=list(_further_rules(resource)))
        register(resource.model.__table__, resource.invariants)  # type: ignore[arg-type]
        trails.track(resource.model, resource.name, untracked=resource.untracked)
        if resource.soft_delete is not None:
            key = trails[resource.model].key
            marks[resource.model] = Mark(resource.soft_delete, key, resource.name)


def offer(database: Database, mounted: Mounted) -> None:
    """Give domain functions the lists of the resources, and the upkeep their deleted rows."""
    database.parts[Lists] = Lists(
        {model: Askable(reads.spec, reads.unaskable) for model, reads in mounted.reads.items()}
    )
    for reads in mounted.reads.values():
        for grant in reads.grants.all():
            database.registry.grant(grant)
    database.parts[Purges] = Purges(_purges(mounted))


def keep_mounted(app: FastAPI, mounted: Mounted) -> None:
    """Let an application that Freehold was installed in be asked for its operations."""
    known = mounted_in(app)
    app.state.fh_mounted = Mounted(
        [*known.bounds, *mounted.bounds], [*known.operations, *mounted.operations], known.reads | mounted.reads
    )


def mounted_in(app: FastAPI) -> Mounted:
    """What was kept so."""
    found: Mounted = getattr(app.state, "fh_mounted", Mounted())
    return found


def _further_rules(resource: Resource) -> Iterator[Rule]:
    yield from (action.access for action in resource.actions)
    yield from (view.access for view in (*resource.views, *resource.overviews) if view.access is not None)
    yield from (each.access for each in (resource.restored_by, resource.told_by) if each is not None)
    yield resource.imported_by.access
    if resource.exported_to is not None:
        yield resource.exported_to


def _purges(mounted: Mounted) -> Iterator[Purge]:
    for bound in mounted.bounds:
        mark, after = bound.resource.soft_delete, bound.resource.purge_after
        if mark is not None and after is not None:
            yield Purge(bound.model, mark, bound.key_name, bound.resource.name, after)
