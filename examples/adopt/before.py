"""Notes: a session dependency that commits, a caller from a header, filters by hand. No word of Freehold in it."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    text: Mapped[str]


class NoteIn(BaseModel):
    text: str


class NoteOut(BaseModel):
    id: int
    owner: str
    text: str


async def get_session() -> AsyncIterator[AsyncSession]:
    raise NotImplementedError("make_app puts the real one in its place")
    yield


async def get_user(x_user: Annotated[str, Header()]) -> str:
    return x_user


Session = Annotated[AsyncSession, Depends(get_session)]
User = Annotated[str, Depends(get_user)]
router = APIRouter(prefix="/notes")


@router.get("")
async def list_notes(db: Session, user: User, contains: str = "") -> list[NoteOut]:
    # The filter on the owner was forgotten here: everybody sees every note.
    found = await db.scalars(select(Note).where(Note.text.contains(contains)).order_by(Note.id))
    return [NoteOut.model_validate(note, from_attributes=True) for note in found]


@router.post("", status_code=201)
async def add_note(db: Session, user: User, note: NoteIn) -> NoteOut:
    row = Note(owner=user, text=note.text)
    db.add(row)
    await db.flush()
    if "forbidden" in note.text:
        raise HTTPException(409, "that word is taken")
    return NoteOut.model_validate(row, from_attributes=True)


@router.delete("/{note_id}", status_code=204)
async def delete_note(db: Session, user: User, note_id: int) -> None:
    note = await db.get(Note, note_id)
    if note is None:
        raise HTTPException(404)
    await db.delete(note)


def make_app(engine: AsyncEngine) -> FastAPI:
    maker = async_sessionmaker(engine, expire_on_commit=False)

    async def session() -> AsyncIterator[AsyncSession]:
        async with maker() as db:
            yield db
            # Runs after the answer was sent: the client may have been told what never happened.
            await db.commit()  # freehold: ignore[commit-after-answer] the fault that install() takes away

    app = FastAPI()
    app.include_router(router)
    app.dependency_overrides[get_session] = session
    return app
