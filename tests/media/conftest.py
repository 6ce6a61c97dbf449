"""A service with files on stage, and what people do with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from tests.media import gallery_app, pictures
from tests.media.s3_server import s3_server

from freehold.testing import House, Stage, opened

# For what no database has a part in.
ON_SQLITE = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


class Person:
    """Somebody who sends files."""

    def __init__(self, stage: Stage, user_id: UUID | None, *roles: str) -> None:
        self.stage = stage
        self.id = user_id
        self.http = stage.client() if user_id is None else stage.as_user(id=user_id, roles=roles)

    async def send(
        self,
        content: bytes | None = None,
        *,
        name: str | None = "photo.jpg",
        declared: str | None = "image/jpeg",
        headers: dict[str, str] | None = None,
        purpose: str = "photo",
        **fields: Any,
    ) -> Any:
        file = (name, pictures.photo() if content is None else content, *([declared] if declared else []))
        data = {"purpose": purpose, **{key: str(value) for key, value in fields.items()}}
        return await self.http.post("/v1/media", files={"file": file}, data=data, headers=headers or {})

    async def sent(self, content: bytes | None = None, **known: Any) -> dict[str, Any]:
        answer = await self.send(content, **known)
        assert answer.status_code == 201, answer.text
        await self.stage.app.jobs.run_pending()
        body: dict[str, Any] = (await self.http.get(answer.headers["location"])).json()
        return body

    async def paper(self, content: bytes | None = None, **known: Any) -> dict[str, Any]:
        whole = pictures.pdf() if content is None else content
        return await self.sent(whole, name="paper.pdf", declared="application/pdf", purpose="paper", **known)

    async def album(self, **columns: Any) -> str:
        made = await self.stage.make(gallery_app.GalleryAlbum, owner_id=self.id, **columns)
        return str(made.id)


@pytest.fixture(scope="session")
def s3_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that speaks S3, with a bucket named `bucket`."""
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as address:
        yield address


def speak_s3(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Say where the store is, as its own tools read it."""
    said = {"ENDPOINT_URL": address, "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "y", "REGION": "us-east-1"}
    for name, value in said.items():
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.fixture(scope="session")
async def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("media")
    async with opened(gallery_app.build(f"sqlite+aiosqlite:///{folder}/test.db", folder / "var")) as found:
        yield found


@pytest.fixture(scope="session")
async def postgresql_house(house_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with opened(gallery_app.build(house_database, tmp_path_factory.mktemp("media"))) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest) -> House:
    """The gallery, running for all tests of this process, on a database of each kind."""
    found: House = request.getfixturevalue(f"{request.param}_house")
    return found


@pytest.fixture
def person(stage: Stage) -> Callable[..., Person]:
    return lambda user_id=None, *roles: Person(stage, user_id, *roles)


@pytest.fixture
def ada(person: Callable[..., Person]) -> Person:
    return person(gallery_app.ADA)


@pytest.fixture
def bob(person: Callable[..., Person]) -> Person:
    return person(gallery_app.BOB)


@pytest.fixture
def staff(person: Callable[..., Person]) -> Person:
    return person(gallery_app.STAFF, "staff")


@pytest.fixture
def nobody(person: Callable[..., Person]) -> Person:
    return person()


@pytest.fixture
def stored(stage: Stage) -> Callable[[], Awaitable[list[str]]]:
    """The keys of everything in the store, and what lies beside it."""

    async def look() -> list[str]:
        library = stage.app.library
        beside = [path.name for path in library.folder.glob("*")] if library.folder.exists() else []
        return [each.key async for each in library.files.list("")] + beside

    return look
