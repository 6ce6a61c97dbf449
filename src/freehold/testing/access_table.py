"""The table of every operation, caller and row, with the answer that the declaration asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson

from freehold.resource.access import Role
from freehold.resource.principal import Principal
from freehold.testing.clock import Clock
from freehold.testing.house import running
from freehold.testing.interference import Vacuous
from freehold.testing.oracle import Verdicts, could_hold, could_step_up
from freehold.testing.probes import key_of, sample_body
from freehold.testing.scene import NOBODY, Rows, Scene, Seed, read_rows
from freehold.testing.stage import Stage
from freehold.testing.wire import Answer, ask

if TYPE_CHECKING:
    from freehold.web.app import Freehold
    from freehold.web.mounting import Operation

STRANGER = "stranger"
_UNDECIDED = frozenset({400, 412, 415, 422, 428})  # of a change: what is asked of the body or headers came first


class WrongAnswer(AssertionError):
    """An operation answered a caller otherwise than its rules say. The message lists the lines of the table."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: who asked what of which row, what the declaration asks for, and what came.

    expected: `401`, `403`, `404`, or `ok` (200 for a read; for a change also a refusal that is not about access).
    """

    operation: str
    caller: str
    row: str
    expected: tuple[str, ...]
    status: int
    note: str = ""

    @property
    def verdict(self) -> str:
        """`right`, `wrong`, or `undecided`: the input was refused before access was judged."""
        got = str(self.status) if self.status in (401, 403, 404) else "ok" if self.status < 500 else "5xx"
        if self.note:
            return "wrong"
        if got in self.expected:
            return "right"
        return "undecided" if got == "ok" and self.status in _UNDECIDED else "wrong"

    def __str__(self) -> str:
        wanted = " or ".join(self.expected)
        return f"{self.operation} as {self.caller} on {self.row}: {wanted} expected, {self.status} came. {self.note}"


@dataclass(slots=True)
class _Table:
    stage: Stage
    rows: Rows
    callers: Mapping[str, Principal]
    bodies: Mapping[str, Any]
    may_refuse: Collection[str]
    verdicts: Verdicts
    lines: list[Line] = field(default_factory=list)


async def access_table(
    app: Freehold,
    seed: Seed,
    *,
    bodies: Mapping[str, Any] | None = None,
    may_refuse: Collection[str] = (),
    give_up_after: int = 30,
) -> list[Line]:
    """Ask every operation as every caller about every row, and compare with the declaration.

    Beside the callers of the scene come nobody and, where the scene has a `stranger` (who owns nothing), the stranger
    in each role that a rule names. bodies: by operation id. may_refuse: operations whose own function answers 403 or
    404 for reasons of the domain. give_up_after: so many wrong answers, the rest is not asked. Raises WrongAnswer;
    Vacuous when an operation was never decided.
    """
    with Clock():
        async with running(app) as stage:
            scene = await seed(stage)
            verdicts = Verdicts(stage.database)
            table = _Table(stage, await read_rows(stage), _callers(app, scene), bodies or {}, may_refuse, verdicts)
            await _fill(table, give_up_after)
    _refuse_vacuous(table.lines)
    return table.lines


async def _fill(table: _Table, give_up_after: int) -> None:
    """Ask everything. Raises WrongAnswer once so many answers were wrong, or at the end."""
    app, wrong = table.stage.app, list[Line]()
    for (name, caller), operation in product(table.callers.items(), app.mounted.operations):
        known = len(table.lines)
        await _ask(table, operation, name, caller, table.stage.admit(caller))
        wrong += [line for line in table.lines[known:] if line.verdict == "wrong"]
        if len(wrong) >= give_up_after:
            break
    if wrong:
        raise WrongAnswer(f"{len(wrong)} of {len(table.lines)} answers:\n" + "\n".join(map(str, wrong)))


def _refuse_vacuous(lines: list[Line]) -> None:
    unheard = _UNDECIDED | {401, 403}
    decided = {line.operation for line in lines if line.verdict == "right" and line.status not in unheard}
    left = sorted({line.operation for line in lines} - decided)
    if left:
        raise Vacuous(
            f"no caller got past the door or the input of {', '.join(left)}: add a caller, or bodies={{id: body}}"
        )


def _callers(app: Freehold, scene: Scene) -> dict[str, Principal]:
    found = {**scene.callers, NOBODY: scene.caller(NOBODY)}
    stranger = scene.callers.get(STRANGER)
    if stranger is not None:
        for role in sorted(_roles(app)):
            found[f"{STRANGER} as {role}"] = Principal(id=stranger.id, roles=frozenset({role}))
    return found


def _roles(app: Freehold) -> set[str]:
    atoms = [atom for operation in app.mounted.operations for atom in operation.rule.atoms()]
    return {name for atom in atoms if isinstance(atom, Role) for name in atom.names}


async def _ask(table: _Table, operation: Operation, name: str, caller: Principal, headers: Mapping[str, str]) -> None:
    if operation.kind == "list":
        await _ask_list(table, operation, name, caller, headers)
        return
    for row in _subjects(table, operation):
        expected = await _expected(table, operation, row, caller)
        response = await _request(table, operation, row, headers)
        note = await _fields(table, operation, row, caller, response)
        label = "" if row is None else key_of(_subject_bound(table, operation), row)
        table.lines.append(Line(operation.id, name, label or "the collection", expected, response.status, note))


def _subject_bound(table: _Table, operation: Operation) -> Any:
    """The resource whose key stands in the path."""
    noun = operation.path.partition("/{id}")[0].rpartition("/")[2]
    return next(bound for bound in table.rows.by_bound if bound.resource.name == noun)


def _subjects(table: _Table, operation: Operation) -> Iterator[Any]:
    if "{id}" not in operation.path:
        yield None
    else:
        yield from table.rows.of(_subject_bound(table, operation))


async def _expected(table: _Table, operation: Operation, row: Any, caller: Principal) -> tuple[str, ...]:
    decided = could_hold(operation.rule, caller)
    if decided is False:
        return ("401",) if caller.is_anonymous or could_step_up(operation.rule, caller) else ("403",)
    found: tuple[str, ...] = ("ok",)
    if row is not None:
        found = await _of_row(table, operation, row, caller)
    elif decided is None and operation.kind in ("create", "bulk_create"):
        found = ("ok", "403")  # whose row it will be is in the body
    elif operation.kind == "bulk_update":
        found = ("ok", "403", "404")  # which rows is in the body
    if found == ("ok",) and operation.id in table.may_refuse:
        return ("ok", "403", "404")
    return found


async def _of_row(table: _Table, operation: Operation, row: Any, caller: Principal) -> tuple[str, ...]:
    bound = _subject_bound(table, operation)
    if not await table.verdicts.holds(bound, bound.rule("read"), row, caller):
        return ("404",)
    if operation.kind == "create":
        return ("ok", "403") if could_hold(operation.rule, caller) is None else ("ok",)
    if bound is not operation.bound:
        return ("ok",)  # a collection below the row: its own rule narrows it, and refuses nobody
    if await table.verdicts.holds(bound, operation.rule, row, caller):
        return ("ok",)
    # A further log-in may help on some rows: on which is for the row's own verdict, with another caller.
    return ("403", "401") if could_step_up(operation.rule, caller) else ("403",)


async def _request(table: _Table, operation: Operation, row: Any, headers: Mapping[str, str]) -> Answer:
    path, sent = operation.path, dict(headers)
    if row is not None:
        path = path.replace("{id}", key_of(_subject_bound(table, operation), row))
    body = _body(table, operation, row)
    if body is not None:
        sent["content-type"] = "application/json"
    if operation.bound.resource.require_key:
        sent["idempotency-key"] = uuid4().hex
    async with nullcontext() if operation.method == "GET" else table.stage.aside():
        content = None if body is None else orjson.dumps(body)
        if operation.kind == "import":
            sent["content-type"], content = "text/csv", b""  # a file without rows
        return await ask(table.stage.app, operation.method, path, headers=sent, body=content)


def _body(table: _Table, operation: Operation, row: Any) -> Any:
    if operation.kind == "update" and operation.id not in table.bodies:
        return {}
    like = row if isinstance(row, operation.bound.model) else next(iter(table.rows.of(operation.bound)), None)
    return sample_body(operation, like, table.bodies)


async def _fields(table: _Table, operation: Operation, row: Any, caller: Principal, response: Answer) -> str:
    """What is wrong with the fields of an answer: one that this caller may not read (Z05)."""
    bound = operation.bound
    if operation.kind != "one" or response.status != 200:
        return ""
    shown = orjson.loads(response.body)
    for name, rule in bound.resource.access.read_fields.items():
        if name in shown and not await table.verdicts.holds(bound, rule, row, caller):
            return f"It shows {name!r}."
    return ""


async def _ask_list(
    table: _Table, operation: Operation, name: str, caller: Principal, headers: Mapping[str, str]
) -> None:
    """The collection holds what the caller may read, all of it, and counts as many."""
    for parent in _subjects(table, operation):
        expected = await _expected(table, operation, parent, caller)
        path = (
            operation.path
            if parent is None
            else operation.path.replace("{id}", key_of(_subject_bound(table, operation), parent))
        )
        query = (("limit", str(operation.spec.max_page_size)), ("count", "true"))
        response = await ask(table.stage.app, "GET", path, query=query, headers=headers)
        note = ""
        if response.status == 200 and expected == ("ok",):
            note = await _content(table, operation, parent, caller, orjson.loads(response.body))
        row = "the collection" if parent is None else str(parent)
        table.lines.append(Line(operation.id, name, row, expected, response.status, note))


async def _content(table: _Table, operation: Operation, parent: Any, caller: Principal, page: Any) -> str:
    bound, rule = operation.bound, operation.bound.rule("read")
    wanted = set()
    for row in table.rows.of(bound):
        if parent is not None and getattr(row, operation.detail.by) != getattr(  # type: ignore[union-attr]
            parent, _subject_bound(table, operation).key_name
        ):
            continue
        if await table.verdicts.holds(bound, rule, row, caller):
            wanted.add(key_of(bound, row))
    shown = {str(item[bound.key_name]) for item in page["items"]}
    if page["next_cursor"] is None and shown != wanted:
        return f"Too many: {sorted(shown - wanted)}. Too few: {sorted(wanted - shown)}."
    return "" if page.get("total") == len(wanted) else f"It counts {page.get('total')} of {len(wanted)}."
