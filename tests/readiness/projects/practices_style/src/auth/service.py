import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from src.auth.config import auth_config
from src.auth.exceptions import EmailTaken, InvalidCredentials
from src.auth.models import AuthUser as AuthUserRow
from src.auth.models import RefreshToken
from src.auth.schemas import AuthUser
from src.auth.security import check_password, hash_password, hash_token
from src.database import fetch_one


async def create_user(session: AsyncSession, user: AuthUser) -> dict[str, Any] | None:
    insert_query = (
        insert(AuthUserRow)
        .values(email=user.email, password=hash_password(user.password))
        .returning(AuthUserRow.id, AuthUserRow.email)
    )
    try:
        created = await fetch_one(insert_query, session)
        await session.commit()
    except IntegrityError:
        await session.rollback()
        raise EmailTaken()
    return created


async def get_user_by_id(session: AsyncSession, user_id: int) -> dict[str, Any] | None:
    return await fetch_one(select(AuthUserRow.__table__).where(AuthUserRow.id == user_id), session)


async def get_user_by_email(session: AsyncSession, email: str) -> dict[str, Any] | None:
    return await fetch_one(select(AuthUserRow.__table__).where(AuthUserRow.email == email), session)


async def create_refresh_token(session: AsyncSession, *, user_id: int) -> str:
    refresh_token = secrets.token_urlsafe(48)
    insert_query = insert(RefreshToken).values(
        uuid=uuid.uuid4(),
        token_hash=hash_token(refresh_token),
        expires_at=datetime.now(UTC) + timedelta(seconds=auth_config.REFRESH_TOKEN_EXP),
        user_id=user_id,
    )
    await session.execute(insert_query)
    await session.commit()
    return refresh_token


async def get_refresh_token(session: AsyncSession, refresh_token: str) -> dict[str, Any] | None:
    select_query = select(RefreshToken.__table__).where(RefreshToken.token_hash == hash_token(refresh_token))
    return await fetch_one(select_query, session)


async def expire_refresh_token(session: AsyncSession, refresh_token_uuid: uuid.UUID) -> None:
    update_query = (
        update(RefreshToken)
        .values(expires_at=datetime.now(UTC) - timedelta(days=1))
        .where(RefreshToken.uuid == refresh_token_uuid)
    )
    await session.execute(update_query)
    await session.commit()


async def authenticate_user(session: AsyncSession, auth_data: AuthUser) -> dict[str, Any]:
    user = await get_user_by_email(session, auth_data.email)
    if not user:
        raise InvalidCredentials()
    if not check_password(auth_data.password, user["password"]):
        raise InvalidCredentials()
    return user
