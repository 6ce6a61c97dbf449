"""The style of the full-stack template: SQLModel on psycopg, `def` endpoints in the thread pool."""

import os
import uuid
from collections.abc import Generator
from typing import Annotated, Any

import jwt
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Response
from fastapi.security import OAuth2PasswordBearer
from models import (
    NotesPublic,
    Note,
    PropertiesPublic,
    Property,
    PropertyCreate,
    PropertyPublic,
    PropertyUpdate,
    User,
    UserPublic,
    now,
)
from sqlalchemy import func
from sqlmodel import Session, create_engine, select
from tokens import subject

# The template's own pool (5, and 10 more) starves its 40 threads under load; this one lets it answer.
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"), pool_size=40)
reusable_oauth2 = OAuth2PasswordBearer(tokenUrl="token")


def get_db() -> Generator[Session, None, None]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_db)]


def get_current_user(session: SessionDep, token: Annotated[str, Depends(reusable_oauth2)]) -> User:
    try:
        user = session.get(User, uuid.UUID(subject(token)))
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    if user is None or not user.is_active:
        raise HTTPException(401)
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]
router = APIRouter(prefix="/v1")


@router.get("/status")
def status() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/properties/{id}", response_model=PropertyPublic)
def read_property(
    session: SessionDep, id: uuid.UUID, response: Response, if_none_match: Annotated[str | None, Header()] = None
) -> Any:
    item = session.get(Property, id)
    if not item:
        raise HTTPException(404)
    tag = f'"{item.row_version}"'
    if if_none_match == tag:
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return item


@router.get("/properties", response_model=PropertiesPublic)
def read_properties(
    session: SessionDep,
    city: str | None = None,
    kind: str | None = None,
    bedrooms__gte: int | None = None,
    q: str | None = None,
    limit: int = 20,
    offset: int = 0,
) -> Any:
    statement = select(Property).order_by(Property.created_at.desc(), Property.id.desc()).limit(limit).offset(offset)
    if city is not None:
        statement = statement.where(Property.city == city)
    if kind is not None:
        statement = statement.where(Property.kind == kind)
    if bedrooms__gte is not None:
        statement = statement.where(Property.bedrooms >= bedrooms__gte)
    if q is not None:
        found = func.to_tsvector("simple", Property.title).op("@@")(func.plainto_tsquery("simple", q))
        statement = statement.where(found)
    return PropertiesPublic(items=session.exec(statement).all())


@router.post("/properties", response_model=PropertyPublic, status_code=201)
def create_property(*, session: SessionDep, current_user: CurrentUser, item_in: PropertyCreate) -> Any:
    item = Property.model_validate(item_in, update={"owner_id": current_user.id})
    session.add(item)
    session.commit()
    session.refresh(item)
    return item


@router.patch("/properties/{id}", response_model=PropertyPublic)
def update_property(
    *,
    session: SessionDep,
    current_user: CurrentUser,
    id: uuid.UUID,
    item_in: PropertyUpdate,
    response: Response,
    if_match: Annotated[str, Header()],
) -> Any:
    item = session.get(Property, id, with_for_update=True)
    if not item:
        raise HTTPException(404)
    if if_match != f'"{item.row_version}"':
        raise HTTPException(412)
    item.sqlmodel_update(
        item_in.model_dump(exclude_unset=True), update={"updated_at": now(), "row_version": item.row_version + 1}
    )
    session.add(item)
    session.commit()
    session.refresh(item)
    response.headers["ETag"] = f'"{item.row_version}"'
    return item


@router.get("/notes", response_model=NotesPublic)
def read_notes(session: SessionDep, current_user: CurrentUser, limit: int = 20) -> Any:
    statement = (
        select(Note).where(Note.owner_id == current_user.id).order_by(Note.created_at.desc(), Note.id.desc()).limit(limit)
    )
    return NotesPublic(items=session.exec(statement).all())


@router.get("/users/me", response_model=UserPublic)
def read_user_me(current_user: CurrentUser) -> Any:
    return current_user


app = FastAPI()
app.include_router(router)
