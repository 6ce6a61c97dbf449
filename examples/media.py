"""Files in a plain FastAPI application: photos of bicycles in three sizes, papers that only their owner reads.

FILES=var/bicycles uvicorn --factory examples.media:main
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import NAMESPACE_URL, UUID, uuid5

from fastapi import Depends, FastAPI, Header
from pydantic import BaseModel
from sqlalchemy import ForeignKey
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.requests import HTTPConnection

import freehold
from freehold import Access, Forbidden, Principal, Session, install, owner, signed_in, where
from freehold.media import DOCUMENTS, PICTURES, Media, MediaForm, MediaHost, MediaMixin, MediaRead, Purpose


class Base(DeclarativeBase):
    pass


class Bicycle(Base):
    __tablename__ = "bicycles"

    id: Mapped[int] = mapped_column(primary_key=True)
    rider: Mapped[str]
    frame: Mapped[str]


class FilesBase(freehold.Base):
    """Freehold's columns, in the application's own metadata: one `create_all`, one history of migrations."""

    __abstract__ = True
    metadata = Base.metadata


class BicycleFile(MediaMixin, FilesBase):
    bicycle_id: Mapped[int | None] = mapped_column(ForeignKey("bicycles.id"), index=True)


class Form(MediaForm):
    bicycle_id: int | None = None


class Shown(MediaRead):
    bicycle_id: int | None


class NewBicycle(BaseModel):
    frame: str


def rider_id(name: str) -> UUID:
    """Freehold names callers by UUID; this application by name."""
    return uuid5(NAMESPACE_URL, name)


async def who(request: HTTPConnection) -> Principal:
    name = request.headers.get("x-rider")
    return Principal() if name is None else Principal(id=rider_id(name), claims={"name": name})


async def own_bicycles_only(db: Session, rider: Principal, form: Any) -> None:
    bicycle = None if form.bicycle_id is None else await db.get(Bicycle, form.bicycle_id)
    if form.bicycle_id is not None and (bicycle is None or bicycle.rider != (rider.claims or {})["name"]):
        raise Forbidden("That is not your bicycle.")


def declared() -> Media:
    return Media(
        BicycleFile,
        purposes=[
            Purpose("photo", types=PICTURES, variants=True, max_count=10),
            Purpose("paper", types=DOCUMENTS, private=True),
        ],
        access=Access(
            read=where(BicycleFile.purpose == "photo") | owner("owner_id"),
            create=signed_in,
            update=owner("owner_id"),
            delete=owner("owner_id"),
        ),
        form=Form,
        read=Shown,
        attach=own_bicycles_only,
        gallery="bicycle_id",
    )


def make_app(engine: AsyncEngine, folder: Path) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield

    app = FastAPI(lifespan=lifespan)
    sessions = async_sessionmaker(engine)

    async def get_session() -> AsyncIterator[AsyncSession]:
        async with sessions() as session:
            yield session

    @app.post("/bicycles", status_code=201)
    async def add(
        new: NewBicycle, x_rider: Annotated[str, Header()], db: Annotated[AsyncSession, Depends(get_session)]
    ) -> dict[str, int]:
        made = Bicycle(rider=x_rider, frame=new.frame)
        db.add(made)
        await db.commit()
        return {"id": made.id}

    # freehold: ignore[secret-default] an example, started by hand on one's own machine
    host = MediaHost(media=declared(), folder=folder, secret=os.environ.get("SECRET", "at least thirty-two characters"))
    install(app, engine, session=get_session, principal=who, media=host)
    return app


def main() -> FastAPI:
    folder = Path(os.environ.get("FILES", "var/bicycles"))
    folder.mkdir(parents=True, exist_ok=True)
    return make_app(create_async_engine(f"sqlite+aiosqlite:///{folder}/bicycles.db"), folder)
