"""How one file is imported: what the resource declares, and what was said for this time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from freehold.resource.importing import Importing
from freehold.resource.record import Record


@dataclass(frozen=True, slots=True)
class Options:
    """key: columns that rows are known by. columns: field <- column of the file. ignore_others: columns without a field.

    is_dry: write nothing. stops: at the first chunk with a refused record, which is then not written. again: a file that was
    imported whole, once more, where there is no key to know its rows by.
    """

    key: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    clean: Callable[[Record], Mapping[str, Any] | None] | None = None
    ignore_others: bool = False
    is_dry: bool = False
    stops: bool = False
    again: bool = False

    @classmethod
    def of(cls, declared: Importing, **said: Any) -> Options:
        """What the declaration says, unless it was said otherwise (not None). Columns mapped by hand leave out `clean`."""
        given = {name: value for name, value in said.items() if value is not None}
        given |= {"key": tuple(given["key"])} if "key" in given else {}
        clean = None if "columns" in given else declared.clean
        known = {"key": tuple(declared.key), "columns": dict(declared.columns), "ignore_others": declared.ignore_others}
        return cls(**{**known, "clean": clean, **given})

    def signature(self) -> bytes:
        """Equal for imports that do the same with a file."""
        clean = None if self.clean is None else f"{self.clean.__module__}.{self.clean.__qualname__}"
        said = [self.key, sorted(self.columns.items()), clean, self.ignore_others, self.is_dry]
        return orjson.dumps(said)
