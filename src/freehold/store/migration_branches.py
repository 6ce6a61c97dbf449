"""Histories that grew side by side: two branches of the code each made a migration, and both follow the same one."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from pathlib import Path

from alembic.script import ScriptDirectory

from freehold.errors import ConfigurationError


def parted(script: ScriptDirectory) -> str | None:
    """The sentence for a history with several ends; None for one that has one, or none yet."""
    ends = sorted(script.get_revisions("heads"), key=lambda each: each.revision)
    if len(ends) < 2:  # two make a fork
        return None
    files = " and ".join(Path(each.path).name for each in ends)
    return (
        f"the history has {len(ends)} ends, as after a merge of branches that each made a migration: {files}. "
        '`freehold migrate merge "…"` writes one that follows them all; or, where no database has had one of them yet, '
        f"write the other's revision as its `down_revision` ({' or '.join(each.revision for each in ends)})"
    )


def refuse_parted(script: ScriptDirectory) -> None:
    """Raises ConfigurationError where it is not clear which migration is the last."""
    if (said := parted(script)) is not None:
        raise ConfigurationError(said)


def strangers(script: ScriptDirectory, at: AbstractSet[str]) -> str | None:
    """The sentence for a database that is where this history has never been."""
    unknown = sorted(at - {each.revision for each in script.walk_revisions()})
    if not unknown:
        return None
    return (
        f"the database is at {', '.join(unknown)}, which this history does not have: another branch or a later release brought "
        "it there. Run `freehold migrate down` with that one's code, or bring its migrations here"
    )
