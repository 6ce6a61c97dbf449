"""The same application with Freehold installed: its own code is not touched."""

from uuid import NAMESPACE_URL, UUID, uuid5

from examples.adopt import before
from fastapi import FastAPI
from sqlalchemy import String
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import HTTPConnection

from freehold import Access, Principal, install, where


def user_id(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, name)


async def who(request: HTTPConnection) -> Principal:
    name = request.headers.get("x-user")
    return Principal() if name is None else Principal(id=user_id(name), claims={"name": name})


def make_app(engine: AsyncEngine) -> FastAPI:
    app = before.make_app(engine)
    own = where(lambda caller: before.Note.owner == caller.claim("name", String()))
    install(
        app,
        engine,
        session=before.get_session,
        principal=who,
        access={before.Note: Access(read=own, write=own)},
    )
    return app
