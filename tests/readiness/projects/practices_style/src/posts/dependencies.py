import uuid
from typing import Annotated

from fastapi import Depends

from src.auth.jwt import parse_jwt_user_data
from src.auth.schemas import JWTData
from src.database import DbSession
from src.exceptions import NotFound, PermissionDenied
from src.posts.models import Post
from src.posts.service import PostService


async def get_service(session: DbSession) -> PostService:
    return PostService(session)


Service = Annotated[PostService, Depends(get_service)]


async def valid_post_id(post_id: uuid.UUID, service: Service) -> Post:
    post = await service.get_by_id(post_id)
    if not post:
        raise NotFound()
    return post


async def valid_owned_post(
    post: Annotated[Post, Depends(valid_post_id)],
    token_data: Annotated[JWTData, Depends(parse_jwt_user_data)],
) -> Post:
    if post.creator_id != token_data.user_id:
        raise PermissionDenied()
    return post
