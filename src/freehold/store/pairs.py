"""A read -> one statement for many: each pair of what is asked and a caller is judged and answered by itself.

The read becomes a lateral part of a statement over its varying values, so that its text, rule included, stays what it was:
no pair can see what another one may. Answers are matched by the number of the pair, never by a key.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

_TYPE: Final = (
    r"(?:UUID|TEXT|BOOLEAN|DATE|SMALLINT|INTEGER|BIGINT|REAL|FLOAT|DOUBLE PRECISION"
    r"|TIMESTAMP WITH(?:OUT)? TIME ZONE|(?:VARCHAR|NUMERIC)(?:\(\d+(?:, ?\d+)?\))?)(?![\w(\[])"
)
"""What a type is called that an array may hold: not an array itself, nor one with an argument that is not read here."""
TOKEN: Final = re.compile(rf"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\d+)(?:::({_TYPE}))?")
PAIR: Final = "fh_pair"
"""What the values of one read are called in the statement for many."""
UNREADABLE: Final = re.compile(r"\\|\$\w*\$|--|/\*")


@dataclass(frozen=True, slots=True)
class Pairs:
    """The text of a statement for many, and which values of the single one vary (`varying`) or stay (`fixed`), by place."""

    sql: str
    varying: tuple[int, ...]
    fixed: tuple[int, ...]

    def arguments(self, each: list[list[object]]) -> list[object]:
        """The values of the statement for many, from those of the single ones."""
        return [*([one[place] for one in each] for place in self.varying), *(each[0][place] for place in self.fixed)]


def paired(sql: str, varying: Collection[int]) -> Pairs | None:
    """Rewrite `sql`, whose values at the places `varying` (from 0) differ from pair to pair.

    Its rows carry the number of their pair (from 1) as a last column. None for a text that cannot be read for certain, or
    whose varying values have no type in it.
    """
    if UNREADABLE.search(sql):
        return None
    types: dict[int, str] = {}
    places: set[int] = set()
    for found in TOKEN.finditer(sql):
        if found[1] is None:
            continue
        places.add(int(found[1]) - 1)
        if found[2]:
            types[int(found[1]) - 1] = found[2]
    chosen = tuple(sorted(places & set(varying)))
    fixed = tuple(sorted(places - set(varying)))
    if not chosen or any(place not in types for place in chosen):
        return None
    numbers = {place: f"${len(chosen) + index}" for index, place in enumerate(fixed, 1)}
    names = {place: f"{PAIR}.v{index}" for index, place in enumerate(chosen)}

    def written(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        place = int(found[1]) - 1
        rest = found[0][1 + len(found[1]) :]
        return (names.get(place) or numbers[place]) + rest

    inner = TOKEN.sub(written, sql)
    arrays = ", ".join(f"${index}::{types[place]}[]" for index, place in enumerate(chosen, 1))
    columns = ", ".join(f"v{index}" for index in range(len(chosen)))
    text = (
        f"SELECT fh_read.*, {PAIR}.n FROM unnest({arrays}) WITH ORDINALITY AS {PAIR}({columns}, n) "
        f"CROSS JOIN LATERAL ({inner}) AS fh_read"
    )
    return Pairs(text, chosen, fixed)
