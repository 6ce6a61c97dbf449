"""What is taken in, what is refused, and that nothing is left of what was."""

from __future__ import annotations

import asyncio
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from tests.media import gallery_app, pictures
from tests.media.conftest import ON_SQLITE, Person

from freehold.media import MediaQuota
from freehold.media.at_once import AtOnce
from freehold.media.sweep import run
from freehold.traffic.places import MemoryPlaces

pytestmark = pytest.mark.anyio


@ON_SQLITE
async def test_a_photo_becomes_variants_in_a_job(ada):
    answer = await ada.send(alt_text="The bridge")
    assert answer.status_code == 201 and answer.headers["location"] == f"/v1/media/{answer.json()['id']}"
    first = answer.json()
    assert (first["status"], first["variants"]) == ("processing", {"thumb": None, "card": None, "full": None})
    assert (first["width"], first["height"], first["alt_text"]) == (120, 80, "The bridge")
    early = await ada.http.get(first["url"])
    assert (early.status_code, early.json()["code"], early.headers["retry-after"]) == (409, "media.not_ready", "1")
    await ada.stage.app.jobs.run_pending()
    ready = (await ada.http.get(f"/v1/media/{first['id']}")).json()
    assert ready["status"] == "ready" and ready["variants"]["card"] == f"{first['url']}?variant=card"
    for accept, kind in {
        "image/avif,image/webp,*/*": "avif",
        "image/webp;q=0.9, image/avif;q=0": "webp",
        "*/*": "jpeg",
    }.items():
        got = await ada.http.get(ready["variants"]["thumb"], headers={"accept": accept})
        assert (got.status_code, got.headers["content-type"]) == (200, f"image/{kind}")
        assert "Accept" in got.headers["vary"]


REFUSED = {
    "svg": (pictures.svg(), "a.svg", "image/svg+xml"),
    "svg as png": (pictures.svg(), "a.png", "image/png"),
    "html": (pictures.html(), "a.jpg", "image/jpeg"),
    "pdf": (pictures.pdf(), "a.pdf", "application/pdf"),
    "jpeg and html": (pictures.jpeg_and(b"<html><script>alert(1)</script></html>"), "a.jpg", "image/jpeg"),
    "jpeg and svg": (pictures.jpeg_and(b"<svg/onload=alert(1)>"), "a.jpg", "image/jpeg"),
    "gifar": (pictures.gifar(), "a.gif", "image/gif"),
    "png as jpg": (pictures.photo(kind="png"), "a.jpg", "image/jpeg"),
    "declared": (pictures.photo(), "a.jpg", "image/png"),
    "extension": (pictures.photo(), "a.exe", "image/jpeg"),
    "octets": (pictures.photo(), "a.jpg", "application/octet-stream"),
    "tiff": (pictures.tiff_strips(), "a.tiff", "image/tiff"),
    "empty": (b"", "a.jpg", "image/jpeg"),
    "broken": (b"\xff\xd8\xff\xe0 not a picture", "a.jpg", "image/jpeg"),
}


@ON_SQLITE
async def test_U01_content_extension_and_declared_type_agree_or_415(ada, stored):
    for case, (content, name, declared) in REFUSED.items():
        answer = await ada.send(content, name=name, declared=declared)
        assert (answer.status_code, answer.json()["code"]) == (415, "media.type_refused"), case
    assert await stored() == []
    chance = pictures.jpeg_and(b"<svg \x00\xff\x81 four letters that mean nothing")
    assert (await ada.send(chance)).status_code == 201


@ON_SQLITE
async def test_U01_every_picture_format_that_is_taken_is_rendered(ada):
    for kind, name in (("png", "png"), ("webp", "webp"), ("gif", "gif"), ("heif", "avif")):
        content = pictures.photo(kind=kind, **({"compression": "av1"} if kind == "heif" else {}))
        made = await ada.sent(content, name=f"a.{name}", declared=f"image/{name}")
        assert (made["status"], made["content_type"]) == ("ready", f"image/{name}")


@ON_SQLITE
async def test_U02_limits_hold_while_streaming_and_leave_nothing(ada, stored):
    answer = await ada.send(pictures.photo() + b"\0" * 2_000_000)
    assert answer.status_code == 413
    sent = 0

    async def endless():
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        while sent < 50_000_000:
            sent += 65_536
            yield b"\xff" * 65_536

    kind = {"content-type": "multipart/form-data; boundary=x"}
    answer = await ada.http.post("/v1/media", content=endless(), headers=kind)
    assert answer.status_code == 413 and sent < 12_000_000

    async def named():
        yield b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nphoto\r\n'
        async for piece in endless():
            yield piece

    sent = 0
    answer = await ada.http.post("/v1/media", content=named(), headers=kind)
    assert answer.status_code == 413 and sent < 3_000_000, "the limit of the purpose, where that is known"
    assert await stored() == []


@ON_SQLITE
async def test_U02_an_upload_cut_short_is_400_and_leaves_nothing(ada, stored):
    cut = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + pictures.photo()
    kind = {"content-type": "multipart/form-data; boundary=x"}
    answer = await ada.http.post("/v1/media", content=cut, headers=kind)
    assert answer.status_code == 400
    assert await stored() == []


@ON_SQLITE
async def test_the_fields_beside_the_file_are_checked(ada, stored):
    for fields in (
        {"purpose": "poster"},
        {"alt_text": "x" * 501},
        {"colour": "red"},
        {"album_id": "x"},
        {"album_id": gallery_app.ADA},
    ):
        answer = await ada.send(**fields)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(fields))}"
    assert await stored() == []


@ON_SQLITE
async def test_a_form_without_a_file_and_a_body_that_is_no_form(ada):
    assert (await ada.http.post("/v1/media", data={"purpose": "photo"})).status_code == 415
    answer = await ada.http.post("/v1/media", files={"purpose": (None, "photo")})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/file")
    assert (await ada.http.post("/v1/media", json={"purpose": "photo"})).status_code == 415


async def test_who_may_send_and_where(ada, bob, nobody, stored):
    assert (await nobody.send()).status_code == 401
    album = await ada.album(is_public=True)
    assert (await bob.send(album_id=album)).status_code == 403
    assert await stored() == []


async def test_a_retry_with_its_key_is_one_file(ada, stored):
    key = {"Idempotency-Key": "one"}
    first, again = await ada.send(headers=key), await ada.send(headers=key)
    assert first.json()["id"] == again.json()["id"] and again.headers["idempotent-replayed"] == "true"
    assert await stored() == [f"media/{first.json()['id']}/original"]
    other = await ada.send(pictures.photo(40, 40), headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency.key_reused")
    assert len(await stored()) == 1


NAMES = [
    "../../etc/passwd.jpg",
    "a\0b.jpg",
    "CON.jpg",
    "x" * 5000 + ".jpg",
    "\u202egpj.photo.jpg",
    "",
    None,
    'q"\\;\u00e9.jpg',
]


async def test_U04_a_name_has_no_effect(ada, stored):
    made = [(await ada.send(pictures.mp4(64), name=name and name.replace(".jpg", ".mp4"), declared="video/mp4", purpose="video")).json() for name in NAMES]  # fmt: skip
    assert sorted(await stored()) == sorted(f"media/{each['id']}/original" for each in made)
    for shown in (each["filename"] for each in made):
        assert len(shown) <= 150 and "/" not in shown and "\0" not in shown and "\u202e" not in shown
        assert shown.upper() != "CON.MP4" and shown.endswith(".mp4")


@ON_SQLITE
async def test_U04_a_download_is_an_attachment_by_a_name_that_is_encoded(ada):
    made = await ada.paper()
    got = await ada.http.get(made["url"])
    assert got.content == pictures.pdf()
    assert got.headers["content-disposition"] == "attachment; filename=\"paper.pdf\"; filename*=UTF-8''paper.pdf"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["cache-control"] == "no-store, private"


@ON_SQLITE
async def test_U05_metadata_is_gone_and_the_picture_stands_upright(ada):
    original = pictures.with_exif()
    assert b"Exif" in original
    made = await ada.sent(original)
    assert (made["width"], made["height"]) == (80, 120)
    import pyvips

    for accept in ("image/avif", "image/webp", "image/jpeg"):
        for address in made["variants"].values():
            got = await ada.http.get(address, headers={"accept": accept})
            shown = pyvips.Image.new_from_buffer(got.content, "")
            assert (shown.width, shown.height) == (80, 120)
            assert not [name for name in shown.get_fields() if "exif" in name or name in ("orientation", "xmp-data")]
            assert b"Secretcam" not in got.content
            assert "sandbox" in got.headers["content-security-policy"]


@ON_SQLITE
async def test_U03_too_many_pixels_are_refused_by_the_header(ada):
    for bomb, kind in ((pictures.huge_png(), "png"), (pictures.huge_webp(), "webp")):
        answer = await ada.send(bomb, name=f"a.{kind}", declared=f"image/{kind}")
        assert answer.status_code == 415
        assert "megapixels" in answer.json()["detail"] or "cannot be read" in answer.json()["detail"]


@ON_SQLITE
@pytest.mark.slow
@pytest.mark.parametrize(
    "bomb", [pictures.zlib_bomb, pictures.text_bomb, pictures.apng, pictures.gif], ids=lambda made: made.__name__
)
@pytest.mark.long
async def test_U03_a_bomb_stays_within_its_worker(ada, bomb):
    """Rendered within the limits or refused: the limits themselves are the kernel's, set by the worker on itself."""
    name, kind = ("a.gif", "image/gif") if bomb is pictures.gif else ("a.png", "image/png")
    answer = await ada.send(bomb(), name=name, declared=kind)
    assert answer.status_code in (201, 415)
    if answer.status_code == 201:
        await ada.stage.app.jobs.run_pending()
        assert (await ada.http.get(f"/v1/media/{answer.json()['id']}")).json()["status"] in ("ready", "failed")
    assert (await ada.send()).status_code == 201
    worker = Path(f"/proc/{ada.stage.app.library.workshop._looks._process.pid}")
    assert re.search(r"Max address space +268435456 ", (worker / "limits").read_text())
    assert re.search(r"Max cpu time +[1-9][0-9]? ", (worker / "limits").read_text())


@ON_SQLITE
async def test_a_picture_that_breaks_off_is_failed_with_its_reason(ada):
    whole = pictures.photo(600, 400, kind="png")
    answer = await ada.send(whole[: len(whole) // 2], name="a.png", declared="image/png")
    assert answer.status_code == 201
    await ada.stage.app.jobs.run_pending()
    failed = (await ada.http.get(f"/v1/media/{answer.json()['id']}")).json()
    assert failed["status"] == "failed" and failed["failure"]
    assert (await ada.http.get(failed["url"])).status_code == 409


@ON_SQLITE
async def test_R07_so_many_uploads_at_once_and_no_more(ada, bob, stage, monkeypatch, stored):
    monkeypatch.setattr(stage.app.library, "at_once", AtOnce(2, MemoryPlaces()))
    going, done = asyncio.Semaphore(0), asyncio.Event()
    mark = "~~~~"

    async def slowly():
        yield f'--{mark}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nvideo\r\n'.encode()
        going.release()
        await done.wait()
        yield f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'.encode()
        yield pictures.mp4(500) + f"\r\n--{mark}--\r\n".encode()

    kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    slow = [asyncio.create_task(ada.http.post("/v1/media", content=slowly(), headers=kind)) for _ in range(2)]
    for _ in slow:
        await going.acquire()
    refused = await ada.send()
    assert (refused.status_code, refused.json()["code"]) == (429, "media.uploads_at_once")
    assert (refused.headers["retry-after"], refused.headers["connection"]) == ("1", "close")
    tus = {"Tus-Resumable": "1.0.0", "Upload-Metadata": "purpose dmlkZW8="}
    begun = await ada.http.post("/v1/uploads", headers={**tus, "Upload-Length": "500"})
    chunk = {**tus, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    where = begun.headers["location"]
    assert (await ada.http.patch(where, content=pictures.mp4(500), headers=chunk)).status_code == 429
    assert (await bob.send()).status_code == 201
    done.set()
    assert [each.status_code for each in await asyncio.gather(*slow)] == [201, 201]
    assert (await ada.http.patch(where, content=pictures.mp4(500), headers=chunk)).status_code == 204
    assert (await ada.send()).status_code == 201


async def test_U02_two_uploads_at_once_do_not_pass_the_quota(real_stage):
    ada, library = Person(real_stage, gallery_app.ADA), real_stage.app.library
    size = len(pictures.photo())
    library.media.quota, whole = MediaQuota(max_bytes=2 * size - 1, max_files=10), library.media.quota
    try:
        answers = await asyncio.gather(*(ada.send() for _ in range(4)))
        assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
        assert {each.json()["code"] for each in answers if each.status_code == 409} == {"media.quota_reached"}
        assert {each.key.split("/")[1] async for each in library.files.list("media/")} == {
            each.json()["id"] for each in answers if each.status_code == 201
        }
    finally:
        library.media.quota = whole


async def test_U08_the_sweep_takes_orphans_of_both_kinds_and_never_a_live_one(ada, stored, clock):
    library = ada.stage.app.library
    live, lost = await ada.paper(), await ada.paper()
    await library.files.delete(f"media/{lost['id']}/original")

    async def bytes_of(data):
        yield data

    await library.files.put(f"media/{gallery_app.BOB}/original", bytes_of(b"x"))
    await library.files.put(f"uploads/{gallery_app.BOB}/piece", bytes_of(b"of an upload that nobody noted"))
    await library.files.put("media/notes.txt", bytes_of(b"somebody else's"))
    killed = library.folder / "tmpkilled"
    killed.mkdir()
    (killed / "full.webp").write_bytes(b"half")
    for path in (*(library.folder.parent / "objects").rglob("*"), killed):
        os.utime(path, (clock.now().timestamp(),) * 2)
    await run(library)
    assert len(await stored()) == 5  # an hour has not passed: it may be one that is about to be committed
    clock.advance(timedelta(hours=2))
    await run(library)
    await ada.stage.app.jobs.run_pending()
    assert sorted(await stored()) == sorted([f"media/{live['id']}/original", "media/notes.txt"])
    assert (await ada.http.get(f"/v1/media/{lost['id']}")).status_code == 404
    assert (await ada.http.get(f"/v1/media/{live['id']}")).status_code == 200
