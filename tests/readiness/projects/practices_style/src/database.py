from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy import CursorResult, Insert, MetaData, Select, Update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from src.config import settings
from src.constants import DB_NAMING_CONVENTION

engine = create_async_engine(str(settings.DATABASE_URL), pool_size=settings.DATABASE_POOL_SIZE, pool_pre_ping=True)
async_session_maker = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=DB_NAMING_CONVENTION)


async def get_session() -> AsyncGenerator[AsyncSession, None]:
    async with async_session_maker() as session:
        yield session


DbSession = Annotated[AsyncSession, Depends(get_session)]


async def fetch_one(select_query: Select | Insert | Update, session: AsyncSession) -> dict[str, Any] | None:
    cursor: CursorResult = await session.execute(select_query)
    row = cursor.first()
    return dict(row._mapping) if row is not None else None


async def fetch_all(select_query: Select | Insert | Update, session: AsyncSession) -> list[dict[str, Any]]:
    cursor: CursorResult = await session.execute(select_query)
    return [dict(r._mapping) for r in cursor.all()]
