from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Cookie, Depends

from src.auth import service
from src.auth.exceptions import RefreshTokenNotValid
from src.database import DbSession


async def valid_refresh_token(
    session: DbSession, refresh_token: Annotated[str, Cookie(alias="refreshToken")]
) -> dict[str, Any]:
    db_refresh_token = await service.get_refresh_token(session, refresh_token)
    if not db_refresh_token:
        raise RefreshTokenNotValid()
    if not _is_valid_refresh_token(db_refresh_token):
        raise RefreshTokenNotValid()
    return db_refresh_token


async def valid_refresh_token_user(
    session: DbSession, refresh_token: Annotated[dict[str, Any], Depends(valid_refresh_token)]
) -> dict[str, Any]:
    user = await service.get_user_by_id(session, refresh_token["user_id"])
    if not user:
        raise RefreshTokenNotValid()
    return user


def _is_valid_refresh_token(db_refresh_token: dict[str, Any]) -> bool:
    return datetime.now(UTC) <= db_refresh_token["expires_at"]
