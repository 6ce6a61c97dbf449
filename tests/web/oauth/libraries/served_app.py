"""A provider for libraries of others: one person, a public and a confidential client, written into the var folder."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import MetaData
from tests.web.oauth.world import PASSWORD, SCOPES

from freehold import Base as FreeholdBase
from freehold import Freehold, Identity, UserMixin
from freehold.identity import Cost, Pages, UserCreate
from freehold.identity.provider import Draft, Provider
from freehold.resource.base import NAMING
from freehold.resource.principal import system

CALLBACK, AFTER = "https://planner.example/callback", "https://planner.example/bye"


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Guest(UserMixin, Base):
    __tablename__ = "oauth_served_guests"


@asynccontextmanager
async def furnished(app: Freehold) -> AsyncIterator[None]:
    assert app.identity is not None
    parts = app.identity.parts
    assert parts.provider is not None
    hashed = await parts.passwords.hash(PASSWORD)
    person = UserCreate(email="ada@example.com", password=PASSWORD, full_name="Ada Lovelace")
    made = {}
    async with app.database.writing(system("test")) as unit:
        await parts.accounts.register(unit.session, person, password_hash=hashed)
        for kind in ("public", "confidential"):
            draft = Draft(
                name=kind, is_public=kind == "public", redirect_uris=[CALLBACK], post_logout_redirect_uris=[AFTER],
                scopes=SCOPES,
            )  # fmt: skip
            client, secret = await parts.provider.clients.add(unit.session, draft)
            made[kind] = {"client_id": str(client.id), "client_secret": secret}
    (app.settings.var_dir / "clients.json").write_text(json.dumps(made))
    yield


identity = Identity(
    user=Guest,
    cost=Cost(memory_kib=64, passes=1),
    pages=Pages(),
    provider=Provider(scopes={"notes:read": "Read your notes"}),
)
app = Freehold(title="Served", identity=identity, lifespan=furnished)
