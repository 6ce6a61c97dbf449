"""Following a job over HTTP: 202 with an address, the status for those who may see it, its cancellation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import MetaData
from sqlalchemy.orm import Mapped
from starlette.responses import Response

from freehold import (
    Access,
    Db,
    Freehold,
    Principal,
    Resource,
    Router,
    Session,
    allow,
    job,
    owner,
    role,
    signed_in,
    system,
)
from freehold.errors import ConfigurationError, Unauthenticated
from freehold.jobs import JobRead, Jobs, progress
from freehold.resource.base import NAMING, new_id
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings
from freehold.testing import running
from freehold.web import accepted
from tests.web.shelf import as_, served

pytestmark = pytest.mark.anyio

PEOPLE = {name: new_id() for name in ("ada", "bob", "admin")}


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class PrintedAlbum(Base):
    __tablename__ = "albums"
    owner_id: Mapped[UUID]
    title: Mapped[str]


@job("albums.print", tracked=True, readers=role("admin"))
async def print_album(db: Session, *, title: str) -> dict[str, int]:
    progress(3, 4, note="Binding")
    return {"pages": len(title)}


@job("albums.sweep")
async def sweep(db: Session) -> None:
    """Nobody follows it."""


async def start_print(db: Session, caller: Principal, album: PrintedAlbum) -> UUID:
    return await print_album.enqueue(db, title=album.title)


router = Router(prefix="/v1/prints", tags=["prints"])


@router.post("", status_code=202, response_model=JobRead, dependencies=[allow(signed_in)])
async def print_anything(db: Db) -> Response:
    return await accepted(db, await print_album.enqueue(db, title="own"))


@router.post("/sweep", status_code=202, dependencies=[allow(signed_in)])
async def cannot_be_followed(db: Db) -> Response:
    return await accepted(db, await sweep.enqueue(db))


class ByName:
    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        if not authorization:
            return Principal()
        name = authorization[0].removeprefix("Bearer ")
        if name not in PEOPLE:
            raise Unauthenticated(invalid_token=True)
        return Principal(id=PEOPLE[name], roles=frozenset({"admin"} if name == "admin" else ()))

    async def find(self, principal_id: UUID) -> Principal:
        return Principal(id=principal_id)


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Freehold:
    albums = Resource(PrintedAlbum, access=Access(read=owner("owner_id"), create=signed_in))
    albums.action("print", start_print, access=owner("owner_id"), status=202)
    settings = Settings(
        env="test", var_dir=tmp_path, database_url=database_url, secret="x" * 40, limits="off", log_level="warning"
    )
    return Freehold(albums, settings=settings, authenticator=ByName(), routers=[router], jobs=[print_album, sweep])


@pytest.fixture
async def client(app: Freehold, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx2.AsyncClient]:
    async def nothing(self: Jobs, **_: object) -> None:
        """The test runs what is pending itself."""

    monkeypatch.setattr(Jobs, "start", nothing)
    async with served(app) as made:
        yield made


async def start(client: httpx2.AsyncClient, by: str = "ada", **headers: str) -> httpx2.Response:
    album = (await client.post("/v1/albums", json={"title": "Alps"}, headers=as_(by))).json()
    return await client.post(f"/v1/albums/{album['id']}/print", headers=as_(by, **headers))


async def test_N04_an_action_answers_202_with_an_address_that_shows_the_job(
    app: Freehold, client: httpx2.AsyncClient
) -> None:
    answer = await start(client)
    assert answer.status_code == 202
    at = answer.headers["location"]
    assert answer.json()["state"] == "waiting"
    waiting = await client.get(at, headers=as_("ada"))
    assert waiting.json() == answer.json()
    assert waiting.headers["retry-after"] == "1"
    await app.jobs.run_pending()
    done = await client.get(at, headers=as_("ada"))
    assert done.json()["state"] == "done"
    assert done.json()["result"] == {"pages": 4}
    assert done.json()["progress"] == {"done": 3, "total": 4, "note": "Binding"}
    assert "retry-after" not in done.headers


async def test_H_the_status_has_an_entity_tag_and_304(app: Freehold, client: httpx2.AsyncClient) -> None:
    at = (await start(client)).headers["location"]
    first = await client.get(at, headers=as_("ada"))
    again = await client.get(at, headers=as_("ada", If_None_Match=first.headers["etag"]))
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["retry-after"] == "1"
    await app.jobs.run_pending()
    changed = await client.get(at, headers=as_("ada", If_None_Match=first.headers["etag"]))
    assert changed.status_code == 200


async def test_Z01_a_job_is_shown_to_who_enqueued_it_and_to_its_readers_and_is_404_to_all_others(
    client: httpx2.AsyncClient,
) -> None:
    at = (await start(client)).headers["location"]
    assert (await client.get(at, headers=as_("admin"))).status_code == 200
    never = await client.get(f"/v1/jobs/{new_id()}", headers=as_("bob"))
    others = await client.get(at, headers=as_("bob"))
    assert others.status_code == never.status_code == 404
    assert others.json()["code"] == never.json()["code"]
    assert (await client.get("/v1/jobs/x", headers=as_("bob"))).status_code == 404
    assert (await client.get(at)).status_code == 401
    assert (await client.post(f"{at}/cancellation", headers=as_("bob"))).status_code == 404


async def test_I02_a_retry_with_the_same_key_is_the_same_job(app: Freehold, client: httpx2.AsyncClient) -> None:
    first = await client.post("/v1/prints", headers=as_("ada", Idempotency_Key="k"))
    again = await client.post("/v1/prints", headers=as_("ada", Idempotency_Key="k"))
    assert first.status_code == again.status_code == 202
    assert first.headers["location"] == again.headers["location"]
    assert await app.jobs.run_pending() == 1


async def test_a_waiting_job_is_cancelled_once_and_an_ended_one_is_409(
    app: Freehold, client: httpx2.AsyncClient
) -> None:
    at = (await start(client)).headers["location"]
    for _ in range(2):
        cancelled = await client.post(f"{at}/cancellation", headers=as_("ada"))
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert await app.jobs.run_pending() == 0
    at = (await start(client)).headers["location"]
    await app.jobs.run_pending()
    refused = await client.post(f"{at}/cancellation", headers=as_("ada"))
    assert (refused.status_code, refused.json()["code"]) == (409, "job.ended")


async def test_a_job_that_cannot_be_followed_is_not_promised(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/v1/prints/sweep", headers=as_("ada"))).status_code == 500


async def test_N05_the_document_describes_the_address_and_the_job(client: httpx2.AsyncClient) -> None:
    document: dict[str, Any] = (await client.get("/openapi.json")).json()
    answer = document["paths"]["/v1/albums/{id}/print"]["post"]["responses"]["202"]
    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/JobRead"}
    assert "Location" in answer["headers"]
    assert {"200", "304", "404"} <= set(document["paths"]["/v1/jobs/{job_id}"]["get"]["responses"])


async def start_sweep(db: Session, caller: Principal, album: PrintedAlbum) -> UUID:
    return await sweep.enqueue(db)


async def start_something(db: Session, caller: Principal, album: PrintedAlbum) -> UUID:
    return new_id()


@pytest.mark.parametrize(("start", "named"), [(start_sweep, "'albums.sweep'"), (start_something, "none of jobs=")])
def test_an_action_that_promises_a_job_nobody_can_follow_stops_the_start(
    start: Any, named: str, tmp_path: Path
) -> None:
    albums = Resource(PrintedAlbum, access=Access(read=signed_in))
    albums.action("print", start, access=signed_in, status=202)
    settings = Settings(env="test", var_dir=tmp_path, secret="x" * 40)
    with pytest.raises(ConfigurationError, match=rf"'albums': the action 'print' answers 202.*{named}.*tracked=True"):
        Freehold(albums, settings=settings, authenticator=ByName(), jobs=[sweep])


def test_without_a_tracked_job_there_is_no_status_address(tmp_path: Path) -> None:
    settings = Settings(env="test", var_dir=tmp_path, secret="x" * 40)
    made = Freehold(
        Resource(PrintedAlbum, access=Access(read=signed_in)), settings=settings, authenticator=ByName(), jobs=[sweep]
    )
    assert "/v1/jobs/{job_id}" not in made.openapi()["paths"]


async def test_a_job_of_somebody_whom_nobody_could_find_is_not_taken_on(tmp_path: Path) -> None:
    class Badges:
        authenticate = ByName.authenticate

    settings = Settings(env="test", var_dir=tmp_path, secret="x" * 40)
    made = Freehold(
        Resource(PrintedAlbum, access=Access(read=signed_in)),
        settings=settings,
        authenticator=Badges(),
        jobs=[print_album, sweep],
    )
    async with running(made) as stage:
        async with stage.database.writing(Principal(id=new_id())) as unit:
            with pytest.raises(ConfigurationError, match=r"'albums.print'.*find\(principal_id\).*system="):
                await print_album.enqueue(unit.session, title="lost")
        async with stage.database.writing(system("a test")) as unit:
            await print_album.enqueue(unit.session, title="kept")
