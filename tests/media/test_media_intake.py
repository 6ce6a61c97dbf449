"""What is taken in, what is refused, and that nothing is left of what was."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

import pytest
from tests.media import gallery_app, pictures

from freehold.media.sweep import run

pytestmark = pytest.mark.anyio


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


@pytest.mark.parametrize(
    ("content", "name", "declared"),
    [
        (pictures.svg(), "a.svg", "image/svg+xml"),
        (pictures.svg(), "a.png", "image/png"),
        (pictures.html(), "a.jpg", "image/jpeg"),
        (pictures.pdf(), "a.pdf", "application/pdf"),
        (pictures.jpeg_and_html(), "a.jpg", "image/jpeg"),
        (pictures.gifar(), "a.gif", "image/gif"),
        (pictures.photo(kind="png"), "a.jpg", "image/jpeg"),
        (pictures.photo(), "a.jpg", "image/png"),
        (pictures.photo(), "a.exe", "image/jpeg"),
        (pictures.photo(), "a.jpg", "application/octet-stream"),
        (pictures.tiff_strips(), "a.tiff", "image/tiff"),
        (b"", "a.jpg", "image/jpeg"),
        (b"\xff\xd8\xff\xe0 not a picture", "a.jpg", "image/jpeg"),
    ],
    ids=["svg", "svg as png", "html", "pdf", "jpeg+html", "gifar", "png as jpg", "declared", "extension", "octets", "tiff", "empty", "broken"],
)  # fmt: skip
async def test_U01_content_extension_and_declared_type_agree_or_415(ada, stored, content, name, declared):
    answer = await ada.send(content, name=name, declared=declared)
    assert (answer.status_code, answer.json()["code"]) == (415, "media.type_refused"), answer.text
    assert await stored() == []


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
    assert await stored() == []


async def test_U02_an_upload_cut_short_is_400_and_leaves_nothing(ada, stored):
    cut = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + pictures.photo()
    kind = {"content-type": "multipart/form-data; boundary=x"}
    answer = await ada.http.post("/v1/media", content=cut, headers=kind)
    assert answer.status_code == 400
    assert await stored() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"purpose": "poster"},
        {"alt_text": "x" * 501},
        {"colour": "red"},
        {"album_id": "x"},
        {"album_id": gallery_app.ADA},
    ],
)
async def test_the_fields_beside_the_file_are_checked(ada, stored, fields):
    answer = await ada.send(**fields)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(fields))}"
    assert await stored() == []


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


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd.jpg", "a\0b.jpg", "CON.jpg", "x" * 5000 + ".jpg", "\u202egpj.photo.jpg", "", None, 'q"\\;\u00e9.jpg'],
    ids=["dots", "nul", "device", "long", "rtl", "empty", "none", "quotes"],
)  # fmt: skip
async def test_U04_a_name_has_no_effect(ada, stored, name):
    made = await ada.sent(name=name)
    assert {key.split("/")[1] for key in await stored()} == {made["id"]}
    shown = made["filename"]
    assert len(shown) <= 150 and "/" not in shown and "\0" not in shown and "\u202e" not in shown
    assert shown.upper() != "CON.JPG" and shown.endswith(".jpg")


async def test_U04_a_download_is_an_attachment_by_a_name_that_is_encoded(ada):
    made = await ada.paper()
    got = await ada.http.get(made["url"])
    assert got.content == pictures.pdf()
    assert got.headers["content-disposition"] == "attachment; filename=\"paper.pdf\"; filename*=UTF-8''paper.pdf"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["cache-control"] == "no-store, private"


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


@pytest.mark.parametrize(
    "bomb", [pictures.huge_png, pictures.huge_webp], ids=["png of 3,600 megapixels", "webp of 268 megapixels"]
)
async def test_U03_too_many_pixels_are_refused_by_the_header(ada, bomb):
    name, kind = ("a.png", "image/png") if bomb is pictures.huge_png else ("a.webp", "image/webp")
    answer = await ada.send(bomb(), name=name, declared=kind)
    assert answer.status_code == 415 and (
        "megapixels" in answer.json()["detail"] or "cannot be read" in answer.json()["detail"]
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "bomb", [pictures.zlib_bomb, pictures.text_bomb, pictures.apng, pictures.gif], ids=lambda made: made.__name__
)
async def test_U03_a_bomb_stays_within_its_worker(ada, bomb):
    """Rendered within the limits or refused: the limits themselves are the kernel's, set by the worker on itself."""
    name, kind = ("a.gif", "image/gif") if bomb is pictures.gif else ("a.png", "image/png")
    answer = await ada.send(bomb(), name=name, declared=kind)
    assert answer.status_code in (201, 415)
    if answer.status_code == 201:
        await ada.stage.app.jobs.run_pending()
        assert (await ada.http.get(f"/v1/media/{answer.json()['id']}")).json()["status"] in ("ready", "failed")
    assert (await ada.send()).status_code == 201


async def test_a_picture_that_breaks_off_is_failed_with_its_reason(ada):
    whole = pictures.photo(600, 400, kind="png")
    answer = await ada.send(whole[: len(whole) // 2], name="a.png", declared="image/png")
    assert answer.status_code == 201
    await ada.stage.app.jobs.run_pending()
    failed = (await ada.http.get(f"/v1/media/{answer.json()['id']}")).json()
    assert failed["status"] == "failed" and failed["failure"]
    assert (await ada.http.get(failed["url"])).status_code == 409


async def test_U02_two_uploads_at_once_do_not_pass_the_quota(database_url, tmp_path):
    from tests.media.conftest import Person

    from freehold.media import MediaQuota
    from freehold.testing import running

    size = len(pictures.photo())
    app = gallery_app.build(database_url, tmp_path, quota=MediaQuota(max_bytes=2 * size - 1, max_files=10))
    async with running(app, isolate=False) as stage:
        ada = Person(stage, gallery_app.ADA)
        answers = await asyncio.gather(*(ada.send() for _ in range(4)))
        assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
        assert {each.json()["code"] for each in answers if each.status_code == 409} == {"media.quota_reached"}
        folders = {each.key.split("/")[1] async for each in app.library.files.list("media/")}
        assert len(folders) == 1


async def test_U08_the_sweep_takes_orphans_of_both_kinds_and_never_a_live_one(ada, stored, clock):
    library = ada.stage.app.library
    live, lost = await ada.paper(), await ada.paper()
    await library.files.delete(f"media/{lost['id']}/original")

    async def bytes_of(data):
        yield data

    await library.files.put(f"media/{gallery_app.BOB}/original", bytes_of(b"x"))
    for path in (library.folder.parent / "objects").rglob("*"):
        os.utime(path, (clock.now().timestamp(),) * 2)
    await run(library)
    assert len(await stored()) == 2  # an hour has not passed: it may be one that is about to be committed
    clock.advance(timedelta(hours=2))
    await run(library)
    await ada.stage.app.jobs.run_pending()
    assert await stored() == [f"media/{live['id']}/original"]
    assert (await ada.http.get(f"/v1/media/{lost['id']}")).status_code == 404
    assert (await ada.http.get(f"/v1/media/{live['id']}")).status_code == 200
