"""INSERT that may meet a row that is there (`ON CONFLICT`): SQLAlchemy has it for each database apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from sqlalchemy import TableClause
    from sqlalchemy.ext.asyncio import AsyncSession


def insert_into(session: AsyncSession, table: TableClause) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of the session's database, with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(table) if is_postgresql else sqlite.insert(table)


async def put(session: AsyncSession, table: TableClause, keys: dict[str, Any], values: dict[str, Any]) -> None:
    """The row of these keys has these values from now on, whether or not it was there."""
    statement = insert_into(session, table).values(**keys, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=values))
