"""Litestar with the repositories of advanced-alchemy and DTOs made from the models."""

import os
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from uuid import UUID

import jwt
from advanced_alchemy.exceptions import NotFoundError
from advanced_alchemy.extensions.litestar import (
    AsyncSessionConfig,
    SQLAlchemyAsyncConfig,
    SQLAlchemyDTO,
    SQLAlchemyDTOConfig,
    SQLAlchemyPlugin,
)
from advanced_alchemy.filters import LimitOffset, OrderBy
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from litestar import Litestar, Request, Response, Router, get, patch, post
from litestar.di import Provide
from litestar.dto import DTOData
from litestar.exceptions import ClientException, NotAuthorizedException, NotFoundException
from litestar.params import Parameter
from models import Note, Property, User
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError
from tokens import subject

T = TypeVar("T")
SERVER_OWNED = {"id", "owner_id", "created_at", "updated_at", "row_version"}


@dataclass
class Items(Generic[T]):
    items: list[T]


class PropertyRepository(SQLAlchemyAsyncRepository[Property]):
    model_type = Property


class NoteRepository(SQLAlchemyAsyncRepository[Note]):
    model_type = Note


class UserRepository(SQLAlchemyAsyncRepository[User]):
    model_type = User


ReadProperty = SQLAlchemyDTO[Annotated[Property, SQLAlchemyDTOConfig(exclude={"row_version"})]]
CreateProperty = SQLAlchemyDTO[Annotated[Property, SQLAlchemyDTOConfig(exclude=SERVER_OWNED, forbid_unknown_fields=True)]]
ChangeProperty = SQLAlchemyDTO[Annotated[Property, SQLAlchemyDTOConfig(include={"price_amount", "title"}, partial=True)]]
ReadNote = SQLAlchemyDTO[Annotated[Note, SQLAlchemyDTOConfig()]]
ReadUser = SQLAlchemyDTO[Annotated[User, SQLAlchemyDTOConfig()]]


class NotModified(Exception):
    """The client has it."""


def not_modified(request: Request, error: NotModified) -> Response[None]:
    return Response(None, status_code=304, headers={"ETag": error.args[0]})


async def properties(db_session: AsyncSession) -> PropertyRepository:
    return PropertyRepository(session=db_session)


async def notes(db_session: AsyncSession) -> NoteRepository:
    return NoteRepository(session=db_session)


async def current_user(request: Request, db_session: AsyncSession) -> User:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        user = await UserRepository(session=db_session).get(UUID(subject(token)))
    except (jwt.InvalidTokenError, NotFoundError):
        raise NotAuthorizedException from None
    if not user.is_active:
        raise NotAuthorizedException
    return user


@get("/status")
async def status() -> dict[str, str]:
    return {"status": "ok"}


@get("/properties/{id:uuid}", return_dto=ReadProperty)
async def read_property(
    id: UUID, properties: PropertyRepository, if_none_match: Annotated[str | None, Parameter(header="If-None-Match")] = None
) -> Response[Property]:
    try:
        found = await properties.get(id)
    except NotFoundError:
        raise NotFoundException from None
    tag = f'"{found.row_version}"'
    if if_none_match == tag:
        raise NotModified(tag)
    return Response(found, headers={"ETag": tag})


@get("/properties", return_dto=ReadProperty)
async def list_properties(
    properties: PropertyRepository,
    city: str | None = None,
    kind: str | None = None,
    bedrooms__gte: int | None = None,
    q: str | None = None,
    limit: int = 20,
    offset: int = 0,
) -> Items[Property]:
    conditions = []
    if city is not None:
        conditions.append(Property.city == city)
    if kind is not None:
        conditions.append(Property.kind == kind)
    if bedrooms__gte is not None:
        conditions.append(Property.bedrooms >= bedrooms__gte)
    if q is not None:
        found = func.to_tsvector("simple", Property.title).op("@@")(func.plainto_tsquery("simple", q))
        conditions.append(found)
    order = (OrderBy("created_at", "desc"), OrderBy("id", "desc"))
    return Items(await properties.list(*conditions, *order, LimitOffset(limit, offset)))


@post("/properties", dto=CreateProperty, return_dto=ReadProperty)
async def create_property(data: DTOData[Property], properties: PropertyRepository, user: User) -> Property:
    return await properties.add(data.create_instance(owner_id=user.id), auto_commit=True)


@patch("/properties/{id:uuid}", dto=ChangeProperty, return_dto=ReadProperty)
async def update_property(
    id: UUID,
    data: DTOData[Property],
    properties: PropertyRepository,
    user: User,
    if_match: Annotated[str, Parameter(header="If-Match")],
) -> Response[Property]:
    found = await properties.get(id)
    if if_match != f'"{found.row_version}"':
        raise ClientException(status_code=412)
    data.update_instance(found)
    try:
        await properties.update(found, auto_commit=True)
    except StaleDataError:
        raise ClientException(status_code=412) from None
    return Response(found, headers={"ETag": f'"{found.row_version}"'})


@get("/notes", return_dto=ReadNote)
async def list_notes(notes: NoteRepository, user: User, limit: int = 20) -> Items[Note]:
    order = (OrderBy("created_at", "desc"), OrderBy("id", "desc"))
    return Items(await notes.list(Note.owner_id == user.id, *order, LimitOffset(limit, 0)))


@get("/users/me", return_dto=ReadUser)
async def read_me(user: User) -> User:
    return user


alchemy = SQLAlchemyPlugin(
    SQLAlchemyAsyncConfig(
        connection_string=os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:"),
        session_config=AsyncSessionConfig(expire_on_commit=False),
    )
)
dependencies = {"properties": Provide(properties), "notes": Provide(notes), "user": Provide(current_user)}
handlers = [status, read_property, list_properties, create_property, update_property, list_notes, read_me]
app = Litestar(
    [Router("/v1", route_handlers=handlers)],
    plugins=[alchemy],
    dependencies=dependencies,
    exception_handlers={NotModified: not_modified},
    openapi_config=None,
)
