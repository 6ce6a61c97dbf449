"""401 `insufficient_user_authentication`: said where a more recent or stronger log-in is all that is missing (RFC 9470)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import MetaData, select
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Freehold, Principal, Session, nobody, owner, recent, role, scope, where, with_factor
from freehold.errors import ConfigurationError
from freehold.resource import clock
from freehold.resource.base import Base as FreeholdBase
from freehold.resource.base import new_id
from freehold.settings import Settings
from freehold.store.database import Database
from freehold.store.ledger import LEDGER
from freehold.web.explain import explain
from tests.web.shelf import ADA, STAFF, ByName, Shelf, as_, resources, served

pytestmark = pytest.mark.anyio

MINE = owner("owner_id")
PUBLIC = where(lambda: Shelf.is_public)


class HowLong(ByName):
    """`ada@60` logged in a minute ago, `ada@60+mfa` with a second factor; `staff@60-staff` holds its role without one."""

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        who, _, how = "".join(authorization).partition("@")
        if who == "Bearer key":
            return Principal(key_id=UUID(int=1), roles=frozenset({"staff"}))
        found = await super().authenticate([who] if who else [])
        if not how:
            return found
        withheld = frozenset({"staff"}) if how.endswith("-staff") else frozenset()
        age, _, factor = how.removesuffix("-staff").partition("+")
        proved = clock.now() - timedelta(seconds=float(age))
        amr = frozenset({"pwd", factor} if factor else {"pwd"})
        return replace(found, authenticated_at=proved, amr=amr, roles=found.roles - withheld, withheld=withheld)


async def paint(db: Session, actor: Principal, shelf: Shelf) -> None:
    shelf.price += 1


ACTIONS = {
    "fresh": MINE & recent(minutes=5),
    "strong": MINE & with_factor,
    "both": MINE & recent(minutes=5) & with_factor,
    "stale": MINE & ~recent(minutes=5),
    "either": MINE | (PUBLIC & with_factor),
    "staff": role("staff"),
    "scoped": MINE & scope("paint") & recent(minutes=1),
}


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx2.AsyncClient]:
    folder: Path = tmp_path_factory.mktemp("step")
    shelves, things = resources()
    for name, rule in ACTIONS.items():
        shelves.action(name, paint, access=rule)
    settings = Settings(
        env="test", var_dir=folder, database_url=f"sqlite+aiosqlite:///{folder}/s.db", secret="x" * 40, limits="off"
    )
    app = Freehold(shelves, things, settings=settings, authenticator=HowLong())
    async with served(app) as opened:
        opened.app = app  # type: ignore[attr-defined]
        yield opened


async def made(client: httpx2.AsyncClient, **values: Any) -> str:
    answer = await client.post("/v1/shelves", json={"name": "oak", **values}, headers=as_("ada"))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


FRESH = 'Bearer error="insufficient_user_authentication", max_age="300"'
STRONG = 'Bearer error="insufficient_user_authentication", acr_values="aal2"'
BOTH = 'Bearer error="insufficient_user_authentication", max_age="300", acr_values="aal2"'


@pytest.mark.parametrize(
    ("caller", "action", "status", "challenge"),
    [
        ("ada@60", "fresh", 200, None),
        ("ada@301", "fresh", 401, FRESH),
        ("ada", "fresh", 401, FRESH),
        ("", "fresh", 401, "Bearer"),
        ("ada@900+mfa", "strong", 200, None),
        ("ada@1", "strong", 401, STRONG),
        ("ada@900", "both", 401, BOTH),
        ("ada@900+mfa", "both", 401, FRESH),
        ("ada@9", "both", 401, STRONG),
        ("ada@9+mfa", "both", 200, None),
        ("ada@9", "stale", 403, None),
        ("ada@900", "stale", 200, None),
        ("bob@900", "fresh", 401, FRESH),  # of the caller alone: which rows are his is not looked at before
        ("bob@9", "either", 401, STRONG),
        ("bob@9+mfa", "either", 200, None),
        ("staff@9", "staff", 200, None),
        ("staff@9-staff", "staff", 401, STRONG),  # a role that counts with a factor alone
        ("bob@9-staff", "staff", 401, STRONG),
        ("bob@9", "staff", 403, None),
        ("key", "staff", 200, None),
        ("key", "strong", 403, None),  # no further log-in would help a key
        ("ada:other@900", "scoped", 401, 'Bearer error="insufficient_user_authentication", max_age="60"'),
        ("ada:other@9", "scoped", 403, 'Bearer error="insufficient_scope", scope="paint"'),
    ],
)
async def test_A10_what_a_log_in_lacks_is_named(
    client: httpx2.AsyncClient, caller: str, action: str, status: int, challenge: str | None
) -> None:
    shelf = await made(client, is_public=True)
    answer = await client.post(f"{shelf}/{action}", headers=as_(caller) if caller else {})
    assert answer.status_code == status, answer.text
    assert answer.headers.get("www-authenticate") == challenge
    if challenge and "insufficient_user" in challenge:
        assert answer.json()["code"] == "auth.insufficient_user_authentication"
        assert "max_age" in answer.json() or answer.json()["acr_values"] == "aal2"


async def test_a_further_log_in_is_not_asked_for_where_it_would_not_help(client: httpx2.AsyncClient) -> None:
    hidden = await made(client, is_public=False)
    assert (await client.post(f"{hidden}/either", headers=as_("bob@9"))).status_code == 404
    assert (await client.post(f"{hidden}/either", headers=as_("staff@9"))).status_code == 403


async def test_the_explanation_says_that_a_log_in_is_missing(client: httpx2.AsyncClient) -> None:
    shelf = await made(client)
    app = client.app  # type: ignore[attr-defined]
    old = Principal(id=ADA, authenticated_at=clock.now() - timedelta(minutes=6))
    found = await explain(app, old, "POST", f"{shelf}/fresh")
    assert (found.status, [part.text for part in found.parts][:3]) == (
        401,
        ["owner('owner_id') & recent(minutes=5)", "owner('owner_id')", "recent(minutes=5)"],
    )
    assert [part.holds for part in found.parts][:3] == [False, True, False]
    assert (await explain(app, replace(old, authenticated_at=clock.now()), "POST", f"{shelf}/fresh")).status == 200


def test_a_time_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="a second or more"):
        recent(minutes=0)
    assert recent(minutes=0.5).describe() == "recent(minutes=0.5)"
    assert (with_factor & ~recent()).describe() == "with_factor & ~(recent(minutes=5))"


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData()


class Vault(Base):
    __tablename__ = "test_vaults"
    owner_id: Mapped[UUID] = mapped_column()
    text: Mapped[str] = mapped_column(default="")


async def test_the_rule_stands_in_every_statement_and_is_judged_once_for_a_request(database_url: str) -> None:
    database = Database.open(database_url)
    database.registry.protect(Vault, Access(read=MINE & recent(minutes=5) & with_factor, write=nobody))
    async with database.engine.begin() as connection:
        await connection.run_sync(LEDGER.create_all)
        await connection.run_sync(Base.metadata.create_all)
    await database.start()
    await _fill(database)
    now, late = clock.now(), timedelta(minutes=5, seconds=1)
    strong = Principal(id=ADA, authenticated_at=now, amr=frozenset({"pwd", "mfa"}))
    cases = {
        strong: ["gold"],
        replace(strong, authenticated_at=now - late): [],
        replace(strong, amr=frozenset({"pwd"})): [],
        replace(strong, id=STAFF): [],
        # A request that began in time is in time to its end, whatever the clock says by then.
        replace(strong, authenticated_at=now - 3 * late, seen_at=now - 3 * late): ["gold"],
    }
    for _ in range(2):  # the second round meets statements that were compiled for others
        for caller, found in cases.items():
            async with database.reading(caller) as session:
                assert list(await session.scalars(select(Vault.text))) == found, caller
    await database.close()


async def _fill(database: Database) -> None:
    from freehold import system

    async with database.writing(system("fill")) as unit:
        unit.session.add(Vault(id=new_id(), owner_id=ADA, text="gold"))
