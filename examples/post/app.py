"""Mail in a plain FastAPI application: it leaves if, and only if, what it speaks of was committed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, EmailStr
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import install
from freehold.mail import LETTERS, Mailer, MailTransport, Templates, send_letter


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    item: Mapped[str]


class Wish(BaseModel):
    email: EmailStr
    item: str


def make_app(engine: AsyncEngine, transport: MailTransport) -> FastAPI:
    """transport: `FileMail(folder)`, `SmtpMail("smtp://…")`, or one of your own."""
    app = FastAPI()
    sessions = async_sessionmaker(engine)

    async def get_session() -> AsyncIterator[AsyncSession]:
        async with sessions() as session:
            yield session

    @app.post("/orders", status_code=201)
    async def order(wish: Wish, db: Annotated[AsyncSession, Depends(get_session)]) -> dict[str, int]:
        made = Order(email=wish.email, item=wish.item)
        db.add(made)
        await db.flush()
        await send_letter(db, "ordered", to=wish.email, item=wish.item, number=made.id)
        return {"id": made.id}

    templates = Templates(Path(__file__).parent / "letters", LETTERS, service="The Corner Shop")
    mailer = Mailer(transport, sender="The Corner Shop <no-reply@shop.example>", templates=templates)
    install(app, engine, session=get_session, mail=mailer)
    return app
