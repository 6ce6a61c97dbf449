"""Accounts in a plain FastAPI application, and a path for those who have one: `uvicorn examples.identity_alone:app`."""

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine

from freehold import Base, Caller, Identity, UserMixin, allow, install, signed_in
from freehold.settings import Settings


class User(UserMixin, Base):
    pass


app, settings = FastAPI(title="Greetings"), Settings.load()


@app.get("/greeting", dependencies=[allow(signed_in)])
async def greeting(caller: Caller) -> str:
    return f"Hello, {caller.id}"


install(app, create_async_engine(settings.database_url), identity=Identity(user=User), settings=settings)
