"""From a record of the file to the fields of a resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog
from pydantic import BaseModel

from freehold.errors import Problem
from freehold.resource.record import Record
from freehold.resource.schemas import SERVER_OWNED
from freehold.transfer.cells import value_of
from freehold.transfer.options import Options
from freehold.transfer.source import Unreadable
from freehold.transfer.target import Target

_log = structlog.get_logger("freehold.transfer")

OWN_COLUMNS: Final = ("import_line", "import_reasons")
"""What a file of refused rows has beside its columns; passed over where it is imported again."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A record that may be written. key: what its row is known by; None where there is no key."""

    record: Record
    values: Mapping[str, Any]
    draft: BaseModel
    key: tuple[Any, ...] | None


class Mapper:
    """Reads the records of one file. from_text: the values are cells of CSV."""

    def __init__(self, target: Target, options: Options, *, from_text: bool) -> None:
        self._target = target
        self._options = options
        self._from_text = from_text
        self._column_of = dict(options.columns)
        self.by_primary_key = options.key == (target.key_name,) and target.key_name not in target.taken

    def check(self, record: Record) -> None:
        """Raise Unreadable where the columns of the first record are not those that are wanted."""
        missing = [f"{column!r}" for column in self._column_of.values() if column not in record]
        if missing and record:
            raise Unreadable(f"The file has no column {', '.join(missing)}; it has {', '.join(record)}.")
        if self._options.clean is not None or not self._from_text or self._options.ignore_others:
            return
        known = {*self._column_of.values(), *self._target.taken, *self._target.shown, *OWN_COLUMNS}
        others = [name for name in record if name not in known]
        if others:
            raise Unreadable(
                f"{', '.join(map(repr, others))}: no field of {self._target.name} has this name. Map it (field=column), "
                f"or have other columns ignored. The fields are {', '.join(self._target.taken)}."
            )

    def read(self, record: Record) -> Ready | None:
        """What is to be written; None for a record that is refused, with its reasons, or passed over."""
        values = None if record.is_refused else self._values(record)
        if values is None:
            return None
        draft = self._draft(record, values)
        if draft is None:
            return None
        key = self._key(record, values, draft) if self._options.key else None
        return None if record.is_refused else Ready(record, values, draft, key)

    def _values(self, record: Record) -> dict[str, Any] | None:
        if self._options.clean is None:
            return self._named(record)
        try:
            found = self._options.clean(record)
        except Exception as error:  # noqa: BLE001  # a row that nobody thought of must not end the import of the others
            _log.warning("import_clean_failed", line=record.line, exc_info=error)
            record.refuse("", f"the cleaning function fails on it ({type(error).__name__})")
            return None
        return None if found is None else dict(found)

    def _named(self, record: Record) -> dict[str, Any]:
        """The columns under the names of fields. An empty cell says nothing of its field."""
        renamed = {column: field for field, column in self._column_of.items()}
        found = {renamed.get(name, name): value for name, value in record.items() if name not in OWN_COLUMNS}
        found = {name: value for name, value in found.items() if self._is_wanted(name, record)}
        if not self._from_text:
            return found
        types = self._target.taken
        return {name: value_of(text, types.get(name, {"string"})) for name, text in found.items() if text}

    def _is_wanted(self, name: str, record: Record) -> bool:
        """Whether a column is for a field. What reads show and nobody sets is in every export, and passed over."""
        target = self._target
        if name in target.taken or (self.by_primary_key and name in self._options.key):
            return True
        if name in target.shown and name not in SERVER_OWNED and not self._options.ignore_others:
            record.note(name, "is passed over: it is shown, and not set by an import")
        return name not in target.shown and not self._options.ignore_others

    def _draft(self, record: Record, values: dict[str, Any]) -> BaseModel | None:
        body = {
            name: value for name, value in values.items() if name != self._target.key_name or not self.by_primary_key
        }
        try:
            return self._target.draft(body, partial=self.by_primary_key)
        except Problem as problem:
            refuse(record, problem, self._column_of)
        except (TypeError, orjson.JSONEncodeError):
            record.refuse("", "the cleaning function gives a value that JSON has not")
        return None

    def _key(self, record: Record, values: Mapping[str, Any], draft: BaseModel) -> tuple[Any, ...] | None:
        found = []
        for name in self._options.key:
            value = values.get(name) if self.by_primary_key else getattr(draft, name, None)
            if value is None:
                record.refuse(self._column_of.get(name, name), "is empty, and rows are known by it")
                return None
            found.append(value)
        if not self.by_primary_key:
            return tuple(found)
        try:
            return (self._target.key_of(self._target.key_name, found[0]),)
        except Problem:
            record.refuse(self._target.key_name, "There is no such row")
            return None


def refuse(record: Record, problem: Problem, column_of: Mapping[str, str]) -> None:
    """Give every fault of a refusal as a reason against a record, under the name of its column."""
    for fault in problem.errors:
        name, _, inner = (fault.pointer or "").lstrip("/").partition("/")
        place = column_of.get(name, name)
        record.refuse(f"{place}/{inner}" if inner else place, fault.message)
    if not problem.errors:
        record.refuse("", problem.detail or problem.title)
