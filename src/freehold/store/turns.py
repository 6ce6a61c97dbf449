"""Turns: one writer at a time does what a name stands for, until its transaction ends."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from sqlalchemy import ARRAY, BigInteger, cast, func, select

if TYPE_CHECKING:
    from freehold.store.session import Session


async def take_turn(db: Session, kind: str, *names: str) -> None:
    """Wait for the turn of every name of a kind, in one order for all who ask. On SQLite there is one writer, and nothing to take."""
    if db.get_bind().dialect.name != "postgresql":
        return
    numbers = sorted({_number(kind, name) for name in names})
    await db.execute(
        select(func.pg_advisory_xact_lock(func.unnest(cast(numbers, ARRAY(BigInteger))).column_valued("number")))
    )


def _number(kind: str, name: str) -> int:
    return int.from_bytes(blake2b(f"freehold {kind}\0{name}".encode(), digest_size=8).digest(), "big", signed=True)
