"""The values behind records of changes: beside the chain, so that they can be erased.

A record names the fields that changed and holds, for each, a digest over its name, a random salt and its two values. The
values and their salts stand here. As long as they are here, `verify` finds one that was altered; once erased, the digest that
stays tells nothing, and the chain is as whole as before.
"""

from __future__ import annotations

import json
import os
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring_ascii
from typing import Any, Final

from sqlalchemy import JSON, Column, Index, Table, Text, Uuid

from freehold.store.ledger import LEDGER

Change = Mapping[str, Any]
"""What became of one field: `from` and `to`; `from` is absent where nobody knew it."""


class JsonText(str):
    """JSON that is written already: what a column of the ledger takes as it is."""

    __slots__ = ()


CHANGED: Final = "changed"
"""In the details of a record: the fields that changed."""
DIGESTS: Final = "digests"
"""In the details of a record: their digests (SHA-256) one after another, in base64. Older records have none of it: there
`changed` is field -> digest in hexadecimal."""
ERASED: Final = "history.erased"
"""The action of the record that tells of an erasure."""
_SALT_BYTES: Final = 16
_DIGEST_BYTES: Final = 32
_FETCHED_BYTES: Final = 4096
_MOST_KEPT: Final = 1000

AUDIT_VALUES = Table(
    "freehold_audit_values",
    LEDGER,
    Column("record_id", Uuid, primary_key=True, comment="of the record whose values these are"),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("content", JSON(none_as_null=True), nullable=False, comment="field -> [salt, {from, to}]"),
    Index("ix_freehold_audit_values_subject", "subject_type", "subject_id"),
)


class _Salts:
    """Random bytes of the system's, fetched many at a time: each call lets go of the interpreter. None is given twice."""

    def __init__(self) -> None:
        self._kept = b""
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """What a parent has fetched is the parent's."""
        self._kept = b""

    def take(self, number: int) -> bytes:
        """So many bytes."""
        if number > len(self._kept):
            self._kept = os.urandom(max(number, _FETCHED_BYTES))
        taken, self._kept = self._kept[:number], self._kept[number:]
        return taken


_salts = _Salts()


def sealed(changes: Mapping[str, str]) -> tuple[str, JsonText]:
    """The members for the details of the record, and the content that stands beside it.

    changes: by field, as `said` writes them.
    """
    named, heads = _named(tuple(changes))
    salts = _salts.take(_SALT_BYTES * len(heads)).hex(",", _SALT_BYTES).split(",")
    each = zip(heads, salts, changes.values(), strict=False)  # of no salts, one is empty
    kept = [f'{head}{salt}",{change}]' for head, salt, change in each]
    digests = b2a_base64(b"".join([sha256(text.encode()).digest() for text in kept]), newline=False).decode()
    return f'{named}"{digests}"', JsonText(f"{{{','.join(kept)}}}")


@lru_cache(maxsize=_MOST_KEPT)
def _named(fields: tuple[str, ...]) -> tuple[str, list[str]]:
    """What stands in front of the digests of these fields, and in front of the salt of each."""
    names = list(map(encode_basestring_ascii, fields))
    return f'"{CHANGED}":[{",".join(names)}],"{DIGESTS}":', [f'{name}:["' for name in names]


def said(change: Change) -> str:
    """A change as what its digest is made over: JSON with sorted names, without spaces, in ASCII."""
    before = f'"from":{value_said(change["from"])},' if "from" in change else ""
    return f'{{{before}"to":{value_said(change["to"])}}}'


def value_said(value: Any) -> str:
    """A value in JSON form, as `said` has it."""
    write = _WRITTEN.get(type(value))
    return json.dumps(value, sort_keys=True, separators=(",", ":")) if write is None else write(value)


_WRITTEN: Final[Mapping[type[Any], Callable[[Any], str]]] = {
    str: encode_basestring_ascii,
    int: repr,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
}
"""Of the types that need no encoder what `json.dumps` writes."""


def digests_in(details: Mapping[str, Any] | None) -> Mapping[str, bytes | str]:
    """What a record holds: field -> digest, as text in an older one."""
    found = details or {}
    told = found.get(CHANGED) or {}
    if isinstance(told, dict):
        return told
    if not isinstance(told, list) or DIGESTS not in found:
        return {}  # somebody's own
    try:
        digests = a2b_base64(found[DIGESTS] or "")
    except (ValueError, TypeError):  # somebody has written there: no value fits
        digests = b""
    return {str(name): digests[place * _DIGEST_BYTES :][:_DIGEST_BYTES] for place, name in enumerate(told)}


def is_altered(field: str, kept: Sequence[Any], digest: bytes | str | None) -> bool:
    """Whether a value that stands beside a record is not the one that the record was made over."""
    salt, change = kept
    if isinstance(digest, str):
        told = f"[{value_said(salt)},{value_said(field)},{said(change)}]"
        return sha256(told.encode()).hexdigest() != digest
    return sha256(f"{value_said(field)}:[{value_said(salt)},{said(change)}]".encode()).digest() != digest
