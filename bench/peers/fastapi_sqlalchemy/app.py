"""FastAPI with SQLAlchemy's async ORM, as both documentations show it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import jwt
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Response
from fastapi.security import OAuth2PasswordBearer
from models import Note, Property, User
from schemas import NotePage, PropertyCreate, PropertyPage, PropertyRead, PropertyUpdate, UserRead
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm.exc import StaleDataError
from tokens import subject

engine = create_async_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:"), pool_size=10)
SessionMaker = async_sessionmaker(engine, expire_on_commit=False)
bearer = OAuth2PasswordBearer(tokenUrl="token")


async def get_session() -> AsyncIterator[AsyncSession]:
    async with SessionMaker() as session:
        yield session


Db = Annotated[AsyncSession, Depends(get_session)]


async def get_current_user(db: Db, token: Annotated[str, Depends(bearer)]) -> User:
    try:
        user = await db.get(User, UUID(subject(token)))
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    if user is None or not user.is_active:
        raise HTTPException(401)
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]
further = APIRouter(prefix="/v1")
for number in range(int(os.environ.get("ROUTES", "0"))):

    @further.get(f"/further-{number}/{{name}}")
    async def another(name: str) -> dict[str, str]:
        return {"status": name}


router = APIRouter(prefix="/v1")


@router.get("/status")
async def status() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/properties/{id}", response_model=PropertyRead)
async def read_property(id: UUID, db: Db, response: Response, if_none_match: Annotated[str | None, Header()] = None) -> Any:
    found = await db.get(Property, id)
    if found is None:
        raise HTTPException(404)
    tag = f'"{found.row_version}"'
    if if_none_match == tag:
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return found


@router.get("/properties", response_model=PropertyPage)
async def list_properties(
    db: Db,
    city: str | None = None,
    kind: str | None = None,
    bedrooms__gte: int | None = None,
    q: str | None = None,
    limit: int = 20,
    offset: int = 0,
) -> Any:
    query = select(Property).order_by(Property.created_at.desc(), Property.id.desc()).limit(limit).offset(offset)
    if city is not None:
        query = query.where(Property.city == city)
    if kind is not None:
        query = query.where(Property.kind == kind)
    if bedrooms__gte is not None:
        query = query.where(Property.bedrooms >= bedrooms__gte)
    if q is not None:
        query = query.where(func.to_tsvector("simple", Property.title).op("@@")(func.plainto_tsquery("simple", q)))
    return {"items": (await db.scalars(query)).all()}


@router.post("/properties", response_model=PropertyRead, status_code=201)
async def create_property(draft: PropertyCreate, db: Db, user: CurrentUser) -> Any:
    made = Property(**draft.model_dump(), owner_id=user.id)
    db.add(made)
    await db.commit()
    return made


@router.patch("/properties/{id}", response_model=PropertyRead)
async def update_property(
    id: UUID, changes: PropertyUpdate, db: Db, user: CurrentUser, response: Response, if_match: Annotated[str, Header()]
) -> Any:
    found = await db.get(Property, id)
    if found is None:
        raise HTTPException(404)
    if if_match != f'"{found.row_version}"':
        raise HTTPException(412)
    for name, value in changes.model_dump(exclude_unset=True).items():
        setattr(found, name, value)
    try:
        await db.commit()
    except StaleDataError:
        raise HTTPException(412) from None
    response.headers["ETag"] = f'"{found.row_version}"'
    return found


@router.get("/notes", response_model=NotePage)
async def list_notes(db: Db, user: CurrentUser, limit: int = 20) -> Any:
    query = select(Note).where(Note.owner_id == user.id).order_by(Note.created_at.desc(), Note.id.desc()).limit(limit)
    return {"items": (await db.scalars(query)).all()}


@router.get("/users/me", response_model=UserRead)
async def read_me(user: CurrentUser) -> Any:
    return user


app = FastAPI()
app.include_router(further)
app.include_router(router)
