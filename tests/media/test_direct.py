"""U06, U08: files that go to the object store itself, and come from it."""

from __future__ import annotations

import base64

import httpx2
import pytest
from tests.media import gallery_app, pictures
from tests.media.conftest import ON_SQLITE, Person, speak_s3

from freehold.media import direct
from freehold.testing import opened

pytestmark = pytest.mark.anyio
TUS = {"Tus-Resumable": "1.0.0"}
SIZE = 250_000


async def begun(person: Person, size: int = SIZE) -> str:
    said = {"filename": "a.pdf", "filetype": "application/pdf", "purpose": "paper"}
    metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    made = await person.http.post(
        "/v1/uploads", headers=TUS | {"Upload-Length": str(size), "Upload-Metadata": metadata}
    )
    assert made.status_code == 201, made.text
    return made.headers["location"]


@pytest.fixture
async def stage(s3_address, monkeypatch, tmp_path):
    speak_s3(monkeypatch, s3_address)
    monkeypatch.setattr(direct, "PART_BYTES", 100_000)
    url = f"sqlite+aiosqlite:///{tmp_path}/test.db"
    app = gallery_app.build(url, tmp_path / "var", files_url=f"s3://bucket/{tmp_path.name}", direct=True)
    async with opened(app) as house, house.stage() as found:
        yield found


@pytest.mark.services
async def test_U06_parts_go_to_the_store_and_become_a_file_that_is_judged_as_any_other(ada, bob, stored):
    stage = ada.stage
    await stage.make(stage.app.identity.user, id=ada.id, email="a@x.example", email_key="a@x.example", roles=[])
    paper = pictures.pdf().ljust(SIZE, b"x")
    where = await begun(ada)
    assert (await bob.http.post(f"{where}/parts")).status_code == 404
    assert (await ada.http.post(f"{where}/completion")).status_code == 409
    parts = (await ada.http.post(f"{where}/parts")).json()["parts"]
    assert [(part["start"], part["length"]) for part in parts] == [(0, 100_000), (100_000, 100_000), (200_000, 50_000)]
    late = await ada.http.patch(
        where, content=b"x", headers=TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    )
    assert (late.status_code, late.json()["code"]) == (409, "media.upload_offset")
    async with httpx2.AsyncClient() as store:

        async def put(part: dict, content: bytes) -> None:
            assert (await store.put(part["url"], content=content)).status_code == 200

        for part in parts[:2]:
            await put(part, paper[part["start"] :][: part["length"]])
        await put(parts[2], b"too short")
        missing = await ada.http.post(f"{where}/completion")
        assert (missing.status_code, missing.json()["code"]) == (409, "media.upload_incomplete")
        assert "200000 to 249999" in missing.json()["detail"]
        again = (await ada.http.post(f"{where}/parts")).json()["parts"]  # the addresses may have run out
        await put(again[2], paper[200_000:])
        done = await ada.http.post(f"{where}/completion")
        assert (done.status_code, done.json()["status"]) == (200, "done"), done.text
        assert (await ada.http.post(f"{where}/completion")).json() == done.json()
        medium = f"/v1/media/{done.json()['medium_id']}"
        assert (await ada.http.get(medium)).json()["size_bytes"] == SIZE
        assert await stored() == [f"media/{done.json()['medium_id']}/original"]

        address = (await ada.http.post(f"{medium}/address")).json()["url"]
        led = await bob.http.get(address)  # whoever has it
        assert (led.status_code, led.headers["cache-control"]) == (307, "no-store, private")
        fetched = await store.get(led.headers["location"])
        assert (fetched.content == paper, fetched.headers["content-type"]) == (True, "application/pdf")
        assert fetched.headers["content-disposition"] == "attachment"
        assert (await bob.http.get(address)).status_code == 403
        assert (await store.get(led.headers["location"].replace("original", "another"))).status_code in (403, 404)


@pytest.mark.services
async def test_U01_what_came_by_the_store_is_told_by_its_content(ada, stored):
    where = await begun(ada, 20)
    (part,) = (await ada.http.post(f"{where}/parts")).json()["parts"]
    async with httpx2.AsyncClient() as store:
        await store.put(part["url"], content=b"<html>not a pdf     ")
    refused = await ada.http.post(f"{where}/completion")
    assert (refused.status_code, refused.json()["code"]) == (415, "media.type_refused")
    assert await stored() == []
    assert (await ada.http.get(where)).json()["status"] == "refused"


class TestLocalFolder:
    """The embedded form takes nothing from clients, and says how it wants it."""

    @pytest.fixture
    async def stage(self, house):
        async with house.stage() as found:
            yield found

    @ON_SQLITE
    async def test_the_service_itself_takes_it(self, ada):
        where = await begun(ada)
        refused = await ada.http.post(f"{where}/parts")
        assert (refused.status_code, refused.json()["code"]) == (409, "media.not_direct")
        assert (await ada.http.head(where, headers=TUS)).headers["upload-offset"] == "0"
