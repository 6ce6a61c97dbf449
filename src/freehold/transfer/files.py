"""The import of a file by code: a demo, a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from freehold.errors import ConfigurationError
from freehold.resource.principal import Principal
from freehold.store.database import Database
from freehold.transfer.importing import Importer, Progress, Report
from freehold.transfer.options import Options
from freehold.transfer.source import Source, format_of
from freehold.transfer.target import Target, Targets


async def import_file(
    database: Database,
    resource: str,
    source: Path | Source,
    *,
    principal: Principal,
    progress: Progress | None = None,
    **options: Any,
) -> Report:
    """Import a file into a resource of the application that has this database; see `Resource.imports`.

    principal: under whose rules; `system("why")` for none. options: `key`, `columns`, `clean`, `ignore_others` take the place of
    what is declared; `is_dry=True` writes nothing; `stops=True` raises Stopped at the first row that is refused;
    `again=True` repeats one without a key. Commits every 200 rows; goes on where an import of this file was broken off.
    """
    target = target_named(database, resource)
    given = source if isinstance(source, Source) else source_at(source)
    return await Importer(database, target, given, principal, Options.of(target.declared, **options)).run(
        progress=progress
    )


def source_at(path: Path) -> Source:
    """A file whose name tells its format. Raises ConfigurationError for another one."""
    found = format_of(path.name)
    if found is None:
        raise ConfigurationError(f"{path.name}: name it .csv or .jsonl (or .csv.gz, .jsonl.gz), or say its format")
    return Source(path, found)


def target_named(database: Database, resource: str) -> Target:
    """What rows of a resource go to. Raises ConfigurationError where the application has no such resource."""
    targets: Targets = database.parts.get(Targets, Targets())
    if resource not in targets:
        raise ConfigurationError(
            f"There is no resource {resource!r}; there are {', '.join(sorted(targets)) or 'none'}."
        )
    return targets[resource]
