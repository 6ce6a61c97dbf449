"""An insert of one row with its records -> the same for many rows: each with its own values, all or none of them.

The values become columns of a table that is given with the statement, which each part of it reads. So the text, with the
rule in it, stays what it was, and the caller of each row is asked about that row. Rows are told apart by their key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Enum, Integer, SmallInteger, String, Text, Uuid

from freehold.store.pairs import TOKEN, UNREADABLE

PATIENCE_MS: Final = 20
"""How long such a statement waits for what others hold. Nobody waits for longer because of a stranger's row."""
_TYPES: Final = frozenset({"JSON", "JSONB", "TSVECTOR", "BYTEA"})
_KEYS: Final = frozenset({BigInteger, Integer, SmallInteger, String, Text, Uuid})
_VALUES: Final = re.compile(r"\bVALUES \(((?:[^()']|'[^()']*')*)\)")
_END: Final = re.compile(r"\s+FROM fh_row\s*$")


def many_of(compiled: Any, dialect: Any, key: Mapping[str, str]) -> str | None:
    """The text for many of what `at_once.answered` has made of an INSERT; None where it cannot be read for certain.

    Its values are arrays, in the order in which the single values stand there; its rows have the number of theirs (from 1)
    as a last column. key: column -> bind of the key of the new row.
    """
    names: list[str] = list(compiled.positiontup or ())
    types = [_type(compiled.binds[name], dialect) for name in names]
    if not key or not set(key.values()) <= set(names):
        return None
    if not all(_is_kept(compiled.binds[bind].type) for bind in key.values()):
        return None
    quote = dialect.identifier_preparer.quote
    places = {quote(column): names.index(bind) for column, bind in key.items()}
    return written(compiled.string, types, places)


def written(sql: str, types: list[str | None], key: Mapping[str, int]) -> str | None:
    """See `many_of`. types: by place, None for one that an array may not hold. key: column -> place of its value."""
    said = {int(found[1]) - 1: found[2] for found in TOKEN.finditer(sql) if found[1] and found[2]}
    kinds = [said.get(place) or type_ for place, type_ in enumerate(types)]
    if UNREADABLE.search(sql) or not sql.startswith("WITH ") or None in kinds:
        return None
    inner = TOKEN.sub(lambda found: found[0] if found[1] is None else f"fh_given.v{int(found[1]) - 1}", sql)
    inner = _VALUES.sub(r"SELECT \1 FROM fh_given", inner)
    same = " AND ".join(f"fh_given.v{place} = fh_row.{column}" for column, place in key.items())
    inner, ends = _END.subn(f", fh_given.n \nFROM fh_row JOIN fh_given ON {same}", inner)
    if not ends or re.search(r"\bVALUES\b", inner):
        return None
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(kinds, 1))
    columns = ", ".join(f"v{place}" for place in range(len(kinds)))
    given = (
        f"SELECT fh_each.* FROM set_config('lock_timeout', '{PATIENCE_MS}', true), "
        f"unnest({arrays}) WITH ORDINALITY AS fh_each({columns}, n)"
    )
    return f"WITH fh_given AS MATERIALIZED ({given}), {inner.removeprefix('WITH ')}"


def _is_kept(type_: Any) -> bool:
    """Whether the database surely holds a key just as it was sent, not rounded or cut: by it the rows are told apart."""
    return type(type_) in _KEYS and getattr(type_, "length", None) is None


def _type(bind: Any, dialect: Any) -> str | None:
    """What the database calls the type of a value that has no cast in the text."""
    name = str(dialect.type_compiler_instance.process(bind.type))
    is_enum = isinstance(bind.type.dialect_impl(dialect), Enum)
    return name if name in _TYPES or is_enum else None
