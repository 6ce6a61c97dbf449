"""Uploads in pieces (tus 1.0): what arrived stays, whatever happens to the client, the line and the process."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from uuid import UUID

import pytest
from tests.media import gallery_app, pictures
from tests.media.conftest import ON_SQLITE, Person

from freehold import system
from freehold.media import uploads

pytestmark = pytest.mark.anyio
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = TUS | {"Content-Type": "application/offset+octet-stream"}


def metadata(**values):
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())


async def begun(person, size, **values):
    said = {"filename": "a.mp4", "filetype": "video/mp4", "purpose": "video"} | values
    headers = TUS | {"Upload-Length": str(size), "Upload-Metadata": metadata(**said)}
    return await person.http.post("/v1/uploads", headers=headers)


@ON_SQLITE
async def test_tus_says_what_it_knows(nobody, ada):
    answer = await nobody.http.options("/v1/uploads")
    assert answer.status_code == 204 and answer.headers["tus-version"] == "1.0.0"
    assert "checksum" in answer.headers["tus-extension"]
    assert (await ada.http.post("/v1/uploads")).status_code == 412
    assert (await nobody.http.post("/v1/uploads")).status_code == 401, "who asks comes before how"


async def test_an_upload_goes_on_where_it_broke_off(ada, bob, stored):
    body = pictures.mp4(9000)
    made = await begun(ada, len(body))
    assert made.status_code == 201, made.text
    where = made.headers["location"]
    assert (await bob.http.head(where, headers=TUS)).status_code == 404

    async def patch(offset, data, **more):
        headers = CHUNK | {"Upload-Offset": str(offset)} | {key.replace("_", "-"): value for key, value in more.items()}
        return await ada.http.patch(where, content=data, headers=headers)

    assert (await patch(0, body[:4000])).headers["upload-offset"] == "4000"
    assert (await patch(0, body[:4000])).status_code == 409
    assert (await ada.http.head(where, headers=TUS)).headers["upload-offset"] == "4000"
    wrong = "sha1 " + base64.b64encode(b"x" * 20).decode()
    assert (await patch(4000, body[4000:5000], upload_checksum=wrong)).status_code == 460
    right = "sha256 " + base64.b64encode(hashlib.sha256(body[4000:5000]).digest()).decode()
    assert (await patch(4000, body[4000:5000], upload_checksum=right)).headers["upload-offset"] == "5000"
    assert (await patch(5000, body[5000:] + b"more")).status_code == 413
    last = await patch(5000, body[5000:])
    assert last.status_code == 204, last.text
    clip = (await ada.http.get(last.headers["content-location"])).json()
    assert (clip["status"], clip["size_bytes"]) == ("ready", 9000)
    assert (await ada.http.get(clip["url"])).content == body
    assert (await ada.http.get(where)).json()["medium_id"] == clip["id"]
    assert await stored() == [f"media/{clip['id']}/original"]


async def test_an_upload_is_judged_like_any_file_and_counts_before_it_is_there(ada, stored):
    refused = await begun(ada, 500)
    headers = CHUNK | {"Upload-Offset": "0"}
    answer = await ada.http.patch(refused.headers["location"], content=pictures.html().ljust(500), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "media.type_refused")
    assert (await ada.http.get(refused.headers["location"])).json()["status"] == "refused"
    assert (await begun(ada, 9_000_001)).status_code == 413
    assert (await begun(ada, 500, purpose="poster")).status_code == 422
    first = await begun(ada, 9_000_000)
    assert [(await begun(ada, 9_000_000)).status_code, (await begun(ada, 9_000_000)).status_code] == [201, 409]
    assert (await ada.http.delete(first.headers["location"], headers=TUS)).status_code == 204
    assert (await begun(ada, 9_000_000)).status_code == 201
    assert await stored() == []


async def arrived(stage, where, *pieces):
    """All of it is in the store, and no process was left to make a file of it."""
    library = stage.app.library
    async with stage.database.writing(system("a process that died")) as unit:
        upload = await library.uploads.find(unit.session, UUID(where.rpartition("/")[2]), gallery_app.ADA)
        for piece in pieces:
            key = await library.uploads.put_piece(upload, piece)
            upload = await library.uploads.note(unit.session, upload, [key], len(piece))


async def test_what_was_whole_when_a_process_died_becomes_a_file_when_the_client_asks(ada, stage, stored):
    body = pictures.mp4(3000)
    where = (await begun(ada, 3000, filename="a\0b.mp4")).headers["location"]
    await arrived(stage, where, body[:2000], body[2000:])
    asked = await ada.http.head(where, headers=TUS)
    assert (asked.status_code, asked.headers["upload-offset"]) == (200, "3000")
    clip = (await ada.http.get(asked.headers["content-location"])).json()
    assert (await ada.http.get(clip["url"])).content == body and clip["filename"] == "ab.mp4"
    assert "content-location" not in (await ada.http.head(where, headers=TUS)).headers
    assert await stored() == [f"media/{clip['id']}/original"]


async def test_two_requests_that_end_one_upload_make_one_file(real_stage):
    ada, library = Person(real_stage, gallery_app.ADA), real_stage.app.library
    where = (await begun(ada, 3000)).headers["location"]
    await arrived(real_stage, where, pictures.mp4(3000))
    answers = await asyncio.gather(*(ada.http.head(where, headers=TUS) for _ in range(4)))
    assert {each.status_code for each in answers} <= {200, 409}
    medium_id = (await ada.http.get(where)).json()["medium_id"]
    assert [each.key async for each in library.files.list("")] == [f"media/{medium_id}/original"]
    assert [each["id"] for each in (await ada.http.get("/v1/media")).json()["items"]] == [medium_id]


@ON_SQLITE
async def test_what_would_be_refused_at_the_end_is_refused_before_the_first_byte(ada, bob, stored):
    album = await ada.album(is_public=True)
    assert (await begun(bob, 500, album_id=album)).status_code == 403
    assert (await begun(ada, 500, album_id=str(gallery_app.BOB))).status_code == 422
    assert await stored() == []


@ON_SQLITE
async def test_an_upload_in_crumbs_is_given_up(ada, stored, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_PIECES", 3)
    where = (await begun(ada, 500)).headers["location"]
    answers = [
        await ada.http.patch(where, content=b"x", headers=CHUNK | {"Upload-Offset": str(offset)}) for offset in range(4)
    ]
    assert [each.status_code for each in answers] == [204, 204, 204, 409]
    assert answers[-1].json()["code"] == "media.upload_pieces"
    assert (await ada.http.get(where)).json()["status"] == "refused"
    assert await stored() == []
