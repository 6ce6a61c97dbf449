"""What a unit of work changed, row by row: noted at every flush, written as audit records at its end.

Every row of a tracked model that a flush inserts, changes or deletes is noted, whoever changed it: the function of an
operation, a cascade, a job, an unscoped session. One record per row tells the sum of it. A part that is rolled back
(`begin_nested`) takes its notes along. Statements that pass the flush by (a bulk UPDATE, Core, SQL as text) are not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from json import dumps, loads
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol
from uuid import UUID

import orjson
from pydantic_core import to_jsonable_python
from sqlalchemy import Column, insert, inspect
from sqlalchemy.orm import DeclarativeBase, InstanceState, Mapper, SessionTransaction
from sqlalchemy.orm import Session as SyncSession

from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.resource.principal import Principal
from freehold.store import records as records_of_one
from freehold.store.audit import AUDIT, with_actor
from freehold.store.audit_values import AUDIT_VALUES, JsonText, said, sealed, value_said
from freehold.store.straight import NotStraight, Straight

if TYPE_CHECKING:
    from freehold.store.session import Session
    from freehold.store.unit import Unit

_JSON: Final = (str, int, bool)
Verb = Literal["created", "updated", "deleted"]
Subject = tuple[str, str]


class Deed(Protocol):
    """Who does something, and what the trail calls the piece of work. A unit is one."""

    @property
    def principal(self) -> Principal:
        """Who acts."""
        ...

    @property
    def request_id(self) -> str | None:
        """Of the request, where it is one."""
        ...


@dataclass(frozen=True, slots=True)
class Tracked:
    """A model whose changes are told. subject: the name of its resource. fields: attributes that are told."""

    subject: str
    key: str
    fields: tuple[str, ...]


class Trails(dict[type[DeclarativeBase], Tracked]):
    """The tracked models of an application; a part of its database."""

    def track(self, model: type[DeclarativeBase], subject: str, *, untracked: Iterable[str] = ()) -> None:
        """Tell the changes of a model, without the columns named and without what the toolkit keeps itself."""
        mapper: Mapper[Any] = inspect(model)
        passed_over = {*untracked, mapper.get_property_by_column(mapper.primary_key[0]).key}
        fields = [each.key for each in mapper.column_attrs if _is_told(mapper, each.columns[0])]
        key = mapper.get_property_by_column(mapper.primary_key[0]).key
        self[model] = Tracked(subject, key, tuple(name for name in fields if name not in passed_over))

    def created(
        self, deed: Deed, model: type[DeclarativeBase], subject_type: str, key: str, values: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The records of a row that is inserted without a flush, for whoever writes them along with it.

        Raises NotStraight where they are told under another name than the deed.
        """
        record = _record(deed, (subject_type, key), f"{subject_type}.created", None)
        changes = {
            name: f'{{"from":null,"to":{_SAID[type(value)](value)}}}'
            for name in self._fields(model, subject_type)
            if (value := values[name]) is not None
        }
        return record, _with_content(record, changes)

    def updated(
        self,
        deed: Deed,
        model: type[DeclarativeBase],
        subject_type: str,
        key: str,
        *,
        was: Mapping[str, Any],
        changed: Mapping[str, Any],
    ) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The same of a row that is changed. was: all of it before."""
        record = _record(deed, (subject_type, key), f"{subject_type}.updated", None)
        changes: dict[str, str] = {}
        for name in self._fields(model, subject_type):
            if name in changed and (before := _json(was[name])) != (after := _json(changed[name])):
                changes[name] = said({"from": before, "to": after})
        return record, _with_content(record, changes)

    def _fields(self, model: type[DeclarativeBase], subject_type: str) -> tuple[str, ...]:
        tracked = self.get(model) or self.tracked(model)
        if tracked is not None and tracked.subject != subject_type:
            raise NotStraight
        return () if tracked is None else tracked.fields

    def tracked(self, model: type[Any]) -> Tracked | None:
        """How a model is told, or one that it inherits from; None for one that is not."""
        return next((self[kind] for kind in model.__mro__ if kind in self), None)


def _is_told(mapper: Mapper[Any], column: Any) -> bool:
    is_plain = isinstance(column, Column) and not column.info.get("fh_derived")
    return is_plain and column is not mapper.version_id_col and column.onupdate is None


@dataclass(slots=True)
class Note:
    """One row in one flush. reason: of the system session that changed it."""

    subject: Subject
    verb: Verb
    reason: str | None
    was: dict[str, Any] = field(default_factory=dict)
    now: dict[str, Any] = field(default_factory=dict)


class Trail:
    """The notes of one unit."""

    def __init__(self, trails: Trails) -> None:
        self.trails = trails
        self._notes: list[Note] = []
        self._deeds: dict[Subject, str] = {}
        self._told: dict[Subject, set[str]] = {}
        self._marks: dict[SessionTransaction, int] = {}

    def did(self, subject_type: str, key: object, action: str) -> None:
        """Name what the unit does to a row; it is recorded so, even where nothing changes."""
        self._deeds[subject_type, str(key)] = action

    def told(self, subject_type: str, key: object, fields: Iterable[str]) -> None:
        """These fields of a row stand in a record of the unit's own; they are not told twice."""
        self._told.setdefault((subject_type, str(key)), set()).update(fields)

    def note_flush(self, session: SyncSession, reason: str | None) -> None:
        """Note the rows of a flush that has just sent its statements."""
        groups: list[tuple[Verb, Any]] = [
            ("created", session.new),
            ("updated", session.dirty),
            ("deleted", session.deleted),
        ]
        for verb, instances in groups:
            for instance in instances:
                tracked = self.trails.tracked(type(instance))
                if tracked is not None:
                    self._note(tracked, inspect(instance), verb, reason)

    def _note(self, tracked: Tracked, state: InstanceState[Any], verb: Verb, reason: str | None) -> None:
        note = Note((tracked.subject, str(state.dict[tracked.key])), verb, reason)
        for name in tracked.fields:
            if verb == "updated":
                history = state.attrs[name].history
                if history.has_changes():
                    note.was |= {name: history.deleted[0]} if history.deleted else {}
                    note.now[name] = history.added[0] if history.added else None
            elif name in state.dict:
                (note.now if verb == "created" else note.was)[name] = state.dict[name]
        if verb != "updated" or note.now:
            self._notes.append(note)

    def mark(self, transaction: SessionTransaction) -> None:
        """Remember where a part began."""
        self._marks[transaction] = len(self._notes)

    def roll_back(self, transaction: SessionTransaction) -> None:
        """Forget what was noted in a part that is undone."""
        del self._notes[self._marks.get(transaction, len(self._notes)) :]

    async def write(self, unit: Unit) -> None:
        """Write the records of the unit: two statements, however many rows; none where nothing was done."""
        changes = self._summed()
        if not changes and not self._deeds:
            return
        records, values = [], []
        named = dict(self._deeds)
        for (subject, reason), note in changes.items():
            action = named.pop(subject, None) if reason == unit.principal.reason else None
            told = _plain(note, without=self._told.get(subject, set()))
            if action is None and note.verb == "updated" and not told:
                continue
            row = _record(unit, subject, f"{subject[0]}.{action or note.verb}", reason)
            kept = _with_content(row, {name: said(change) for name, change in told.items()})
            values += [] if kept is None else [kept]
            records.append(row)
        records += [_record(unit, subject, f"{subject[0]}.{action}", None) for subject, action in named.items()]
        if len(records) == 1 and len(values) <= 1:
            await _insert_one(unit, records[0], values[0] if values else None)
        else:
            await _insert(unit.session, records, values)
        self._notes.clear()
        self._deeds.clear()

    def _summed(self) -> dict[tuple[Subject, str | None], Note]:
        """One note per row and reason, from its first state to its last. A row made and removed in one unit is none."""
        found: dict[tuple[Subject, str | None], Note] = {}
        for note in self._notes:
            before = found.setdefault((note.subject, note.reason), note)
            if before is note:
                continue
            if before.verb == "created" and note.verb == "deleted":
                del found[note.subject, note.reason]
                continue
            before.now = {} if note.verb == "deleted" else {**before.now, **note.now}
            before.was = {**note.was, **before.was}
            before.verb = before.verb if note.verb == "updated" else note.verb
        return found


def _plain(note: Note, *, without: set[str]) -> dict[str, dict[str, Any]]:
    """The changes in JSON form; a value that came back to what it was is none."""
    told: dict[str, dict[str, Any]] = {}
    for name in {**note.was, **note.now}:
        change = {"to": _json(note.now.get(name))}
        if note.verb == "created" or name in note.was:
            change["from"] = _json(note.was.get(name)) if note.verb != "created" else None
        if name not in without and change.get("from", ...) != change["to"]:
            told[name] = change
    return told


def _json(value: Any) -> Any:
    if value is None or type(value) in _JSON:
        return value
    if isinstance(value, float) and not isfinite(value):
        return str(value)  # JSON has no infinity
    return to_jsonable_python(value, fallback=str, bytes_mode="base64")  # bytes need not be text


def _instant_said(value: datetime) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode() if value.tzinfo is UTC else _other_said(value)


def _other_said(value: Any) -> str:
    return value_said(_json(value))


class _Said(dict[type[Any], Callable[[Any], str]]):
    """What writes the JSON form of a value of a type; of the types that most columns hold, what the long way writes."""

    def __missing__(self, _: type[Any]) -> Callable[[Any], str]:
        return _other_said


_SAID: Final = _Said(
    {
        str: encode_basestring_ascii,
        int: repr,
        float: lambda value: repr(value) if isfinite(value) else f'"{value}"',
        UUID: lambda value: orjson.dumps(value).decode(),
        datetime: _instant_said,
    }
)


def _record(deed: Deed, subject: Subject, action: str, reason: str | None) -> dict[str, Any]:
    return {
        "id": new_id(),
        "recorded_at": clock.now(),
        "principal_id": deed.principal.id,
        "system_reason": reason if reason is not None else deed.principal.reason,
        "action": action,
        "subject_type": subject[0],
        "subject_id": subject[1],
        "details": with_actor(deed.principal, None),
        "request_id": deed.request_id,
    }


def _with_content(record: dict[str, Any], changes: Mapping[str, str]) -> dict[str, Any] | None:
    """Have a record name what is told; the row with the values, if there are any. changes: as `sealed` takes them."""
    if not changes:
        return None
    members, content = sealed(changes)
    others = "" if record["details"] is None else f"{dumps(record['details'])[1:-1]},"
    record["details"] = JsonText(f"{{{others}{members}}}")
    return _values(record, content)


def _values(record: Mapping[str, Any], content: JsonText) -> dict[str, Any]:
    return {
        "record_id": record["id"],
        "subject_type": record["subject_type"],
        "subject_id": record["subject_id"],
        "content": content,
    }


async def _insert_one(unit: Unit, record: dict[str, Any], kept: dict[str, Any] | None) -> None:
    try:
        await records_of_one.write(Straight.of_unit(unit), record, kept)
    except NotStraight:
        await _insert(unit.session, [record], [] if kept is None else [kept])


async def _insert(session: Session, records: list[dict[str, Any]], values: list[dict[str, Any]]) -> None:
    if records:
        await session.execute(insert(AUDIT), [_read(each, "details") for each in records])
    if values:
        await session.execute(insert(AUDIT_VALUES), [_read(each, "content") for each in values])


def _read(row: dict[str, Any], name: str) -> dict[str, Any]:
    """A row for SQLAlchemy's own type of JSON."""
    return {**row, name: loads(row[name])} if isinstance(row[name], JsonText) else row
