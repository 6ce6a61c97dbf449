from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Response, status

from src.auth import service
from src.auth.config import auth_config
from src.auth.dependencies import valid_refresh_token, valid_refresh_token_user
from src.auth.jwt import create_access_token, parse_jwt_user_data
from src.auth.schemas import AccessTokenResponse, AuthUser, JWTData, UserResponse
from src.database import DbSession
from src.exceptions import NotFound
from src.limits import RateLimiter

router = APIRouter(prefix="/auth", tags=["auth"])


def refresh_cookie(refresh_token: str, *, expired: bool = False) -> dict[str, Any]:
    return {
        "key": auth_config.REFRESH_TOKEN_KEY,
        "value": refresh_token,
        "httponly": True,
        "samesite": "strict",
        "secure": auth_config.SECURE_COOKIES,
        "max_age": 0 if expired else auth_config.REFRESH_TOKEN_EXP,
    }


@router.post(
    "/users",
    status_code=status.HTTP_201_CREATED,
    response_model=UserResponse,
    dependencies=[Depends(RateLimiter(times=5, seconds=60))],
)
async def register_user(session: DbSession, auth_data: AuthUser) -> dict[str, Any] | None:
    return await service.create_user(session, auth_data)


@router.get("/users/me", response_model=UserResponse)
async def get_my_account(session: DbSession, jwt_data: Annotated[JWTData, Depends(parse_jwt_user_data)]) -> dict[str, Any]:
    user = await service.get_user_by_id(session, jwt_data.user_id)
    if not user:
        raise NotFound()
    return user


@router.post("/users/tokens", dependencies=[Depends(RateLimiter(times=5, seconds=60))])
async def auth_user(session: DbSession, auth_data: AuthUser, response: Response) -> AccessTokenResponse:
    user = await service.authenticate_user(session, auth_data)
    refresh_token_value = await service.create_refresh_token(session, user_id=user["id"])
    response.set_cookie(**refresh_cookie(refresh_token_value))
    return AccessTokenResponse(access_token=create_access_token(user=user), refresh_token=refresh_token_value)


@router.put("/users/tokens")
async def refresh_tokens(
    worker: BackgroundTasks,
    response: Response,
    session: DbSession,
    refresh_token: Annotated[dict[str, Any], Depends(valid_refresh_token)],
    user: Annotated[dict[str, Any], Depends(valid_refresh_token_user)],
) -> AccessTokenResponse:
    refresh_token_value = await service.create_refresh_token(session, user_id=refresh_token["user_id"])
    response.set_cookie(**refresh_cookie(refresh_token_value))
    await service.expire_refresh_token(session, refresh_token["uuid"])
    return AccessTokenResponse(access_token=create_access_token(user=user), refresh_token=refresh_token_value)


@router.delete("/users/tokens", status_code=status.HTTP_204_NO_CONTENT)
async def logout_user(
    response: Response, session: DbSession, refresh_token: Annotated[dict[str, Any], Depends(valid_refresh_token)]
) -> None:
    await service.expire_refresh_token(session, refresh_token["uuid"])
    response.delete_cookie(**{"key": auth_config.REFRESH_TOKEN_KEY})
