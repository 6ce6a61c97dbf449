"""The guarded looks: conditions that find what stands in the way of a row, the same on both databases."""

from __future__ import annotations

from freehold.resource.invariants import AtMost, NoOverlap
from freehold.store.invariant_sql import SqlText


def overlap(sql: SqlText, rule: NoOverlap, selves: tuple[str, ...]) -> str:
    """A SELECT with a row when NEW overlaps one that is there. selves: NEW, or NEW and OLD in an update.

    Rows under the rule do not overlap each other, so the one that starts last before NEW ends is the only one that
    needs a look: one step down an index, however many rows a key has.
    """
    start, end = sql.column(rule.start), sql.column(rule.end)
    new_start, new_end = sql.column(rule.start, "NEW"), sql.column(rule.end, "NEW")
    starts_before = _open(sql, rule.end, new_end, f"{start} < {new_end}")
    ends_after = _open(sql, rule.start, new_start, _open(sql, rule.end, end, f"{end} > {new_start}"))
    others = [*sql.same(rule.keys, "NEW"), *_when(sql, rule.when), *(sql.another(row) for row in selves)]
    if sql.table.c[rule.start].nullable:
        either = _open(sql, rule.start, start, starts_before)
        return f"SELECT 1 FROM {sql.own} WHERE {' AND '.join([*others, either, ends_after])}"
    last = f"SELECT {end} FROM {sql.own} WHERE {' AND '.join([*others, starts_before])} ORDER BY {start} DESC LIMIT 1"
    return f"SELECT 1 FROM ({last}) AS last_before WHERE {ends_after}"


def out_of_order(sql: SqlText, rule: NoOverlap) -> str:
    """That NEW ends before or when it starts. An open end has no order."""
    return f"{sql.column(rule.start, 'NEW')} >= {sql.column(rule.end, 'NEW')}"


def count(sql: SqlText, rule: AtMost, parent: tuple[str, ...], selves: tuple[str, ...] = ()) -> str:
    """A scalar subquery: how many rows the parent has, apart from NEW (and OLD). The rule itself keeps it short.

    parent: the values of `per`, as SQL.
    """
    same = [f"{sql.column(name)} = {value}" for name, value in zip(rule.per, parent, strict=True)]
    others = [*same, *_when(sql, rule.when), *(sql.another(row) for row in selves)]
    return f"(SELECT count(*) FROM {sql.own} WHERE {' AND '.join(others)})"


def of_row(sql: SqlText, rule: AtMost) -> tuple[str, ...]:
    """The values of `per` in NEW, as SQL."""
    return tuple(sql.column(name, "NEW") for name in rule.per)


def _when(sql: SqlText, when: object) -> list[str]:
    condition = sql.condition(when)  # type: ignore[arg-type]
    return [f"({condition})"] if condition else []


def _open(sql: SqlText, column: str, value: str, otherwise: str) -> str:
    """`otherwise`, or true where `value` may be and is NULL: an open end."""
    return f"({value} IS NULL OR {otherwise})" if sql.table.c[column].nullable else otherwise
