"""What is asked of the tables after a run."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from proof.service import Service


async def references(service: Service, beginning: str) -> Counter[str]:
    """How many orders there are of each reference that begins like this."""
    found = await service.rows("SELECT reference FROM orders WHERE reference LIKE :like", like=f"{beginning}%")
    return Counter(row[0] for row in found)


async def ids(service: Service, table: str, column: str = "id") -> Counter[UUID]:
    """How often each is there."""
    return Counter(UUID(str(row[0])) for row in await service.rows(f"SELECT {column} FROM {table}"))  # noqa: S608  # our own names


def surplus(counted: Counter[str]) -> int:
    """How many there are beyond one of each."""
    return counted.total() - len(counted)
