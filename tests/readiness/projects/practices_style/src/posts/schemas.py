import uuid
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from src.schemas import CustomModel


class PostCreate(CustomModel):
    title: str = Field(min_length=1, max_length=128)
    slug: str = Field(pattern=r"^[a-z0-9-]{1,128}$")
    content: str
    price: Annotated[Decimal, Field(ge=0, max_digits=10, decimal_places=2)] | None = None


class PostUpdate(CustomModel):
    title: str | None = Field(default=None, min_length=1, max_length=128)
    content: str | None = None


class CommentResponse(CustomModel):
    id: uuid.UUID
    author_id: int
    text: str


class PostResponse(CustomModel):
    id: uuid.UUID
    creator_id: int
    slug: str
    title: str
    content: str
    price: Decimal | None
    created_at: datetime


class PostWithComments(PostResponse):
    comments: list[CommentResponse]


class CommentCreate(CustomModel):
    text: str = Field(min_length=1, max_length=2000)
