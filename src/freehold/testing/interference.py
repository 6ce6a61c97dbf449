"""Non-interference: what somebody receives is the same, byte for byte, with and without what it may not know of."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock
from uuid import UUID

import orjson
from pydantic_core import to_jsonable_python
from sqlalchemy import delete, inspect, select, update
from uuid_utils.compat import uuid7

from freehold.resource import base
from freehold.resource.principal import system
from freehold.store.ledger import LEDGER
from freehold.store.row_versions import uncounted
from freehold.testing.clock import Clock
from freehold.testing.factories import value as made_value
from freehold.testing.house import running
from freehold.testing.own_routes import own_probes
from freehold.testing.probes import Probe, probes
from freehold.testing.scene import Rows, Scene, Seed, read_rows
from freehold.testing.stage import Stage
from freehold.testing.wire import Answer, ask

if TYPE_CHECKING:
    from freehold.store.session import Session
    from freehold.web.app import Freehold

REQUEST_ID = "proof-of-non-interference"
_VOLATILE = frozenset({"date", "server-timing", "traceparent", "x-request-duration"})
_BATCH = 50  # requests in one world before the other is looked at, so that a leak is told soon
_OTHER_NUMBER = 900_001  # what a secret cell holds in the second world: nothing else has it
_IS_ASKED: ContextVar[bool] = ContextVar(
    "freehold_is_asked", default=False
)  # so it is in the request, and nowhere beside it


class Interference(AssertionError):
    """Somebody could tell whether something hidden is there. The message lists the requests."""


class Vacuous(AssertionError):
    """The proof had nothing to go on: no secrets, or no request that succeeded."""


@dataclass(slots=True)
class Comparison:
    """What a proof of non-interference did. statuses: how often each came, of the first of each pair."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)


async def non_interference(
    app: Freehold,
    seed: Seed,
    *,
    bodies: Mapping[str, Any] | None = None,
    also: Sequence[Probe] = (),
    give_up_after: int = 20,
) -> Comparison:
    """Prove it for every caller of the scene that has secrets, over every operation, on a stage that is undone.

    bodies: by operation id, where a body cannot be made from a row. also: further requests, for what the declaration
    does not tell (a filter of one's own). The differences that public facts make are
    allowed: a 409, or a view, that tells values of the columns that a resource names in `public_facts`.
    give_up_after: so many leaks, the rest is not looked for.
    Raises Interference, or Vacuous when there was nothing to prove.
    """
    done, leaks = Comparison(), list[str]()
    with Clock():
        async with running(app) as stage:
            scene = await seed(stage)
            names = sorted({*scene.secrets, *scene.cells})
            if not names:
                raise Vacuous("the scene has no secrets: say in Scene(secrets=…) who may not know of which rows")
            for name in names:
                await _compare(_Trial(stage, scene, name, done, leaks, give_up_after), bodies or {}, also)
    if leaks:
        shown = "\n".join(leaks)
        raise Interference(f"{len(leaks)} of {done.requests} requests tell what is hidden:\n{shown}")
    if not any(status < 300 for status in done.statuses):
        raise Vacuous(f"no request of {done.requests} succeeded: {dict(done.statuses)}")
    return done


@dataclass(slots=True)
class _Trial:
    """One caller before the proof."""

    stage: Stage
    scene: Scene
    name: str
    done: Comparison
    leaks: list[str]
    give_up_after: int


async def _compare(trial: _Trial, bodies: Mapping[str, Any], also: Sequence[Probe]) -> None:
    stage, secrets = trial.stage, trial.scene.secrets.get(trial.name, ())
    rows = await read_rows(stage)
    asked = list(_once([*probes(stage.app.mounted.operations, rows, bodies), *also]))
    asked += own_probes(stage.app, [_key(row) for row in secrets])
    facts = _public_facts(stage.app, rows)
    headers = {"x-request-id": REQUEST_ID, **stage.admit(trial.scene.caller(trial.name))}
    for start in range(0, len(asked), _BATCH):
        some = asked[start : start + _BATCH]
        first = [await _answer(stage, headers, probe) for probe in some]
        async with stage.aside():
            await _forget(stage, trial.scene, trial.name)
            second = [await _answer(stage, headers, probe) for probe in some]
        trial.done.requests += len(some)
        trial.done.statuses.update(before.status for before in first)
        for probe, before, after in zip(some, first, second, strict=True):
            if before != after and not _is_public(stage.app, probe, before, after, facts):
                trial.leaks.append(
                    f"{trial.name}: {probe} {_shown(probe.body)}\n    with:    {before}\n    without: {after}"
                )
        if len(trial.leaks) >= trial.give_up_after:
            return


def _once(found: Iterable[Probe]) -> Iterator[Probe]:
    """Each probe once: bodies that are equal ask the same."""
    seen = set()
    for probe in found:
        identity = (probe.method, probe.path, probe.query, tuple(probe.headers.items()), orjson.dumps(probe.body))
        if identity not in seen:
            seen.add(identity)
            yield probe


async def _answer(stage: Stage, headers: Mapping[str, str], probe: Probe) -> Answer:
    body = None if probe.body is None else orjson.dumps(probe.body)
    sent = {**headers, **probe.headers, **({} if body is None else {"content-type": "application/json"})}
    async with nullcontext() if probe.is_safe else stage.aside():
        with steady_ids():
            found = await ask(stage.app, probe.method, probe.path, query=probe.query, headers=sent, body=body)
    return Answer(found.status, tuple(each for each in found.headers if each[0] not in _VOLATILE), found.body)


@contextmanager
def steady_ids() -> Iterator[None]:
    """Make new ids, and whatever else is random, the same in both worlds.

    Ids count up from one, in a range that no clock reaches. Random bytes follow from how often as many were asked for before: a
    CSRF token is another one each time, and tells nothing; a supply of them, which is drawn now and then, shifts no other. Only
    what is drawn for the request counts: a task that runs beside it draws what it would have drawn.
    """
    true_bytes = os.urandom
    numbers, draws = itertools.count(1), defaultdict[int, Iterator[int]](lambda: itertools.count(1))

    def next_id() -> UUID:
        if not _IS_ASKED.get():
            return uuid7()
        return UUID(int=(0x7FFF_FFFF_FFFF_7000 << 64) | (0x8 << 60) | next(numbers))

    def next_bytes(size: int, /) -> bytes:
        if not _IS_ASKED.get():
            return true_bytes(size)
        return hashlib.shake_256(f"{size} {next(draws[size])}".encode()).digest(size)

    with mock.patch.object(base, "uuid7", next_id), mock.patch.object(os, "urandom", next_bytes):
        asked = _IS_ASKED.set(True)
        try:
            yield
        finally:
            _IS_ASKED.reset(asked)


async def _forget(stage: Stage, scene: Scene, name: str) -> None:
    """Bring about the world without the secrets."""
    order = {table: place for place, table in enumerate(_tables(stage.app))}
    rows = sorted(scene.secrets.get(name, ()), key=lambda row: -order[inspect(type(row)).local_table])
    async with stage.database.writing(system("the world without the secrets")) as unit:
        for row in rows:
            gone = await unit.session.execute(delete(type(row)).where(*_is(row)))
            if gone.rowcount != 1:  # type: ignore[attr-defined]  # a DML result has it
                raise Vacuous(f"the secret {row!r} is not in the database")
        for row, attribute in scene.cells.get(name, ()):
            column = inspect(type(row)).column_attrs[attribute].columns[0]
            other = await _another(unit.session, row, attribute, column)
            # Its version would tell everybody that the row changed, which in a world without the secret it did not.
            await unit.session.execute(uncounted(update(type(row)).where(*_is(row)).values({attribute: other})))


async def _another(session: Session, row: Any, attribute: str, column: Any) -> Any:
    """A value that the cell does not hold; for a foreign key, nothing or the key of another row."""
    if not column.foreign_keys:
        return made_value(column, _OTHER_NUMBER)
    if column.nullable:
        return None
    target = next(iter(column.foreign_keys)).column
    return await session.scalar(select(target).where(target != getattr(row, attribute)).order_by(target).limit(1))


def _tables(app: Freehold) -> list[Any]:
    return [table for metadata in (LEDGER, *app.all_metadata) for table in metadata.sorted_tables]


def _is(row: Any) -> list[Any]:
    mapper = inspect(type(row))
    return [c == v for c, v in zip(mapper.primary_key, mapper.primary_key_from_instance(row), strict=True)]


def _key(row: Any) -> str:
    return str(inspect(type(row)).primary_key_from_instance(row)[0])


def _public_facts(app: Freehold, rows: Rows) -> set[str]:
    """Every value that a resource declares to be known to all, as JSON writes it."""
    found: set[str] = set()
    for bound in app.mounted.bounds:
        for row in rows.of(bound):
            found |= {_leaf(to_jsonable_python(getattr(row, name))) for name in bound.resource.public_facts}
    return found


def _is_public(app: Freehold, probe: Probe, before: Answer, after: Answer, facts: set[str]) -> bool:
    """Whether the difference is a refusal or a view, and tells public facts and nothing besides."""
    operation = next((each for each in app.mounted.operations if each.id == probe.about), None)
    if operation is None or not facts:
        return False
    if before.status == 409 and after.status < 300 and operation.bound.resource.public_facts:
        conflicts = orjson.loads(before.body).get("conflicts", [])
        return set(_leaves(conflicts)) <= facts
    if operation.kind == "view" and before.status == after.status == 200:
        if not _is_json(before):
            return _words(before) ^ _words(after) <= {re.sub(r"\W", "", fact) for fact in facts}
        told = Counter(_leaves(orjson.loads(before.body)))
        told.subtract(Counter(_leaves(orjson.loads(after.body))))
        return {leaf for leaf, count in told.items() if count} <= facts
    return False


def _is_json(answer: Answer) -> bool:
    return any(name == "content-type" and "json" in value for name, value in answer.headers)


def _words(answer: Answer) -> set[str]:
    """The words of a document that is not JSON, such as a calendar: a date is one word there."""
    return set(re.findall(r"\w+", answer.body.decode()))


def _leaves(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        for child in document.values():
            yield from _leaves(child)
    elif isinstance(document, list):
        for child in document:
            yield from _leaves(child)
    else:
        yield _leaf(document)


def _leaf(value: Any) -> str:
    return orjson.dumps(value).decode()


def _shown(body: Any) -> str:
    return "" if body is None else orjson.dumps(body)[:200].decode(errors="replace")


__all__ = ["Comparison", "Interference", "Vacuous", "non_interference"]
