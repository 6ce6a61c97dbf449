"""Webhooks, out and in, of a plain FastAPI application that Freehold was installed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx2
import pytest
from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from standardwebhooks import Webhook
from starlette.requests import HTTPConnection

from freehold import Access, Principal, Resource, Session, anyone, install, owner
from freehold.errors import ConfigurationError
from freehold.resource.base import new_id
from freehold.testing import Receiver, receiving
from freehold.traffic import Fetcher
from freehold.web import Resources, receive
from freehold.webhooks import Event, Received, StandardWebhooks, Webhooks
from freehold.webhooks.signing import Message, new_secret

pytestmark = pytest.mark.anyio

ADA, BOB, KEY = new_id(), new_id(), new_secret("v1")


class Base(DeclarativeBase):
    pass


class Invoice(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    is_paid: Mapped[bool] = mapped_column(default=False)


paid = Event("invoice.paid", Invoice)


async def pay(db: Session, message: Received) -> None:
    invoice = await db.get_one(Invoice, message.json()["invoice"])
    invoice.is_paid = True
    await paid.emit(db, invoice)


async def get_session() -> AsyncIterator[Any]:
    raise NotImplementedError
    yield


async def person(user_id: UUID) -> Principal | None:
    return Principal(id=user_id)


async def identify(connection: HTTPConnection) -> Principal:
    name = connection.headers.get("x-user")
    return Principal() if name is None else Principal(id=UUID(name))


def make_app(engine: AsyncEngine) -> FastAPI:
    app = FastAPI()

    @app.post("/invoices")
    async def issue(db: Annotated[Any, Depends(get_session)]) -> int:
        invoice = Invoice(owner_id=ADA)
        db.add(invoice)
        await db.commit()
        return invoice.id

    app.include_router(receive("/hooks/bank", sender=StandardWebhooks(KEY), handle=pay))
    declared = [Resource(Invoice, access=Access(read=owner("owner_id"), create=anyone))]
    webhooks = Webhooks([paid], principals=person)
    install(
        app, engine, session=get_session, principal=identify,
        resources=Resources(declared=declared, secret="s" * 40, webhooks=webhooks, fetcher=Fetcher(allowed=["127.0.0.1"])),
    )  # fmt: skip
    return app


async def test_a_bank_pays_an_invoice_and_its_owner_is_told(tmp_path: Path) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/test.db")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    app = make_app(engine)
    receiver: Receiver
    async with receiving() as receiver, app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            secrets = {}
            for name, user_id in {"/ada": ADA, "/bob": BOB}.items():
                body = {"url": receiver.url(name), "events": ["invoice.paid"]}
                made = await client.post("/v1/webhook-endpoints", json=body, headers={"x-user": str(user_id)})
                assert made.status_code == 201, made.text
                secrets[name] = made.json()["secret"]
            number = (await client.post("/invoices")).json()
            told = b'{"invoice": %d}' % number
            for _ in range(2):
                signed = Message("bank-1", datetime.now(UTC), told).headers([KEY])
                assert (await client.post("/hooks/bank", content=told, headers=signed)).status_code == 204
            await receiver.until("/ada", 1)
    (post,) = receiver.posts
    assert Webhook(secrets["/ada"]).verify(post.body, post.headers)["data"]["is_paid"] is True
    await engine.dispose()


def test_owners_of_whom_nothing_is_known_are_refused(tmp_path: Path) -> None:
    invoices = Resource(Invoice, access=Access(read=owner("owner_id")))
    given = Resources(declared=[invoices], secret="s" * 40, webhooks=Webhooks([paid]))
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/test.db")
    with pytest.raises(ConfigurationError, match="principals"):
        install(FastAPI(), engine, session=get_session, resources=given)
