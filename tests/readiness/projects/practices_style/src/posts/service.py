import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from src.posts.models import Comment, Like, Post
from src.posts.schemas import CommentCreate, PostCreate, PostUpdate


class PostService:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get_by_id(self, post_id: uuid.UUID) -> Post | None:
        return await self.session.get(Post, post_id)

    async def get_by_slug(self, slug: str) -> Post | None:
        result = await self.session.execute(select(Post).where(Post.slug == slug))
        return result.scalar_one_or_none()

    async def search(self, q: str | None, *, limit: int, offset: int) -> Sequence[Post]:
        query = select(Post).options(selectinload(Post.comments)).order_by(Post.created_at.desc())
        if q:
            pattern = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            query = query.where(Post.title.ilike(f"%{pattern}%", escape="\\"))
        result = await self.session.execute(query.limit(limit).offset(offset))
        return result.scalars().all()

    async def create(self, data: PostCreate, *, creator_id: int) -> Post:
        post = Post(**data.model_dump(), creator_id=creator_id)
        self.session.add(post)
        await self.session.commit()
        await self.session.refresh(post)
        return post

    async def update(self, post: Post, data: PostUpdate) -> Post:
        for name, value in data.model_dump(exclude_unset=True).items():
            setattr(post, name, value)
        await self.session.commit()
        return post

    async def delete(self, post: Post) -> None:
        await self.session.delete(post)
        await self.session.commit()

    async def comment(self, post: Post, data: CommentCreate, *, author_id: int) -> Comment:
        comment = Comment(post_id=post.id, author_id=author_id, text=data.text)
        self.session.add(comment)
        await self.session.commit()
        return comment

    async def like(self, post: Post, *, user_id: int) -> int:
        statement = insert(Like).values(post_id=post.id, user_id=user_id).on_conflict_do_nothing()
        await self.session.execute(statement)
        await self.session.commit()
        return await self.session.scalar(select(func.count()).select_from(Like).where(Like.post_id == post.id))

    async def publish_all(self, posts: Sequence[Post]) -> dict[uuid.UUID, int]:
        ids = [post.id for post in posts if post.price is None]
        rows = await self.session.execute(
            select(Like.post_id, func.count()).where(Like.post_id.in_(ids)).group_by(Like.post_id)
        )
        return {post_id: count for post_id, count in rows.all()}
