"""The values behind records of changes: beside the chain, so that they can be erased.

A record names the fields that changed and holds, for each, a digest over a random salt and its two values. The values
and their salts stand here. As long as they are here, `verify` finds one that was altered; once erased, the digest that
stays tells nothing, and the chain is as whole as before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import JSON, Column, Index, Table, Text, Uuid

from freehold.store.ledger import LEDGER

Change = Mapping[str, Any]
"""What became of one field: `from` and `to`; `from` is absent where nobody knew it."""
DIGESTS: Final = "changed"
"""In the details of a record: field -> digest."""
ERASED: Final = "history.erased"
"""The action of the record that tells of an erasure."""
_SALT_BYTES: Final = 16

AUDIT_VALUES = Table(
    "freehold_audit_values",
    LEDGER,
    Column("record_id", Uuid, primary_key=True, comment="of the record whose values these are"),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("content", JSON(none_as_null=True), nullable=False, comment="field -> [salt, {from, to}]"),
    Index("ix_freehold_audit_values_subject", "subject_type", "subject_id"),
)


def sealed(changes: Mapping[str, Change]) -> tuple[dict[str, str], dict[str, Any]]:
    """The digests for the record, and the content that stands beside it. changes: in JSON form."""
    salts = os.urandom(_SALT_BYTES * len(changes))
    digests: dict[str, str] = {}
    content: dict[str, Any] = {}
    for place, (field, change) in enumerate(changes.items()):
        salt = salts[place * _SALT_BYTES : (place + 1) * _SALT_BYTES].hex()
        digests[field] = _digest(field, salt, change)
        content[field] = [salt, dict(change)]
    return digests, content


def _digest(field: str, salt: str, change: Change) -> str:
    said = json.dumps([salt, field, change], sort_keys=True, separators=(",", ":"))
    return sha256(said.encode()).hexdigest()


def is_altered(field: str, kept: Sequence[Any], digest: str | None) -> bool:
    """Whether a value that stands beside a record is not the one that the record was made over."""
    salt, change = kept
    return _digest(field, salt, change) != digest
