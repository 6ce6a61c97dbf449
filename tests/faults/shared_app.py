"""A service whose limits and kept answers its processes share. Served by test_redis.

Each answer that is made adds a line to the file that MADE_FILE names.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from fastapi import Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Mapped

from freehold import Access, Base, Db, Freehold, Resource, Router, Session, allow, anyone, owner, signed_in
from freehold.traffic import Cache, per_minute


class SharedNote(Base):
    text: Mapped[str]


class Notes(BaseModel):
    texts: list[str]


def note_that_one_is_made() -> None:
    with Path(os.environ["MADE_FILE"]).open("a") as file:
        file.write(f"{os.getpid()}\n")


async def texts(db: Session, actor: None) -> Notes:
    note_that_one_is_made()
    found = list(await db.scalars(select(SharedNote.text).order_by(SharedNote.text)))
    await asyncio.sleep(0.3)  # so long that every process is asked meanwhile
    return Notes(texts=found)


notes = Resource(SharedNote, access=Access(read=anyone, create=signed_in, update=owner("id")))
notes.overview("texts", texts, returns=Notes, access=anyone, cache=Cache(seconds=60))
router = Router(prefix="/v1/shared")


@router.get("/limited", dependencies=[allow(anyone, quota=per_minute(50))])
async def limited(response: Response) -> int:
    return os.getpid()


@router.get("/plain", dependencies=[allow(anyone)])
async def plain(db: Db) -> list[str]:
    return list(await db.scalars(select(SharedNote.text).limit(1)))


app = Freehold(notes, title="Shared", routers=[router])
