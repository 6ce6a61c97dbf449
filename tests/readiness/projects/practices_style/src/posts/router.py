from typing import Annotated

from fastapi import APIRouter, Depends, Query, status

from src.auth.jwt import parse_jwt_admin_data, parse_jwt_user_data
from src.auth.schemas import JWTData
from src.posts.dependencies import Service, valid_owned_post, valid_post_id
from src.posts.models import Comment, Post
from src.posts.schemas import CommentCreate, CommentResponse, PostCreate, PostResponse, PostUpdate, PostWithComments

router = APIRouter(prefix="/posts", tags=["posts"])

Caller = Annotated[JWTData, Depends(parse_jwt_user_data)]


@router.get("", response_model=list[PostWithComments])
async def list_posts(
    service: Service,
    q: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
):
    return await service.search(q, limit=limit, offset=offset)


@router.get("/{post_id}", response_model=PostResponse)
async def get_post(post: Annotated[Post, Depends(valid_post_id)]):
    return post


@router.post("", status_code=status.HTTP_201_CREATED, response_model=PostResponse)
async def create_post(data: PostCreate, service: Service, caller: Caller):
    return await service.create(data, creator_id=caller.user_id)


@router.patch("/{post_id}", response_model=PostResponse)
async def update_post(data: PostUpdate, service: Service, post: Annotated[Post, Depends(valid_owned_post)]):
    return await service.update(post, data)


@router.delete("/{post_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_post(service: Service, post: Annotated[Post, Depends(valid_owned_post)]) -> None:
    await service.delete(post)


@router.post("/{post_id}/comments", status_code=status.HTTP_201_CREATED, response_model=CommentResponse)
async def comment_on_post(
    data: CommentCreate, service: Service, caller: Caller, post: Annotated[Post, Depends(valid_post_id)]
) -> Comment:
    return await service.comment(post, data, author_id=caller.user_id)


@router.put("/{post_id}/like")
async def like_post(service: Service, caller: Caller, post: Annotated[Post, Depends(valid_post_id)]) -> int:
    return await service.like(post, user_id=caller.user_id)


@router.delete(
    "/{post_id}/moderation", status_code=status.HTTP_204_NO_CONTENT, dependencies=[Depends(parse_jwt_admin_data)]
)
async def take_down(service: Service, post: Annotated[Post, Depends(valid_post_id)]) -> None:
    await service.delete(post)
