"""What is sent back: to whom, in which form, by which address; galleries; deletion."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.media import gallery_app, pictures
from tests.media.conftest import ON_SQLITE, Person

pytestmark = pytest.mark.anyio


async def test_photos_follow_what_they_belong_to(ada, bob, nobody):
    shown, hidden = await ada.album(is_public=True), await ada.album()
    public, draft = await ada.sent(album_id=shown), await ada.sent(album_id=hidden)
    for path in (f"/v1/media/{draft['id']}", draft["url"], draft["variants"]["thumb"]):
        assert [(await each.http.get(path)).status_code for each in (nobody, bob, ada)] == [404, 404, 200]
    got = await nobody.http.get(public["url"])
    assert got.status_code == 200 and got.headers["cache-control"] == "public, max-age=300"
    assert (await ada.http.get(draft["url"])).headers["cache-control"].startswith("private")


async def test_U06_private_files_by_guess_are_404_and_by_address_work_once(ada, bob, staff, nobody, clock):
    stage = ada.stage
    await stage.make(stage.app.identity.user, id=ada.id, email="a@x.example", email_key="a@x.example", roles=[])
    paper = await ada.paper()
    assert [(await each.http.get(paper["url"])).status_code for each in (nobody, bob, staff)] == [404, 404, 200]
    assert (await bob.http.post(f"/v1/media/{paper['id']}/address")).status_code == 404
    made = await ada.http.post(f"/v1/media/{paper['id']}/address")
    assert made.status_code == 201 and made.headers["cache-control"] == "no-store"
    url, other = made.json()["url"], await ada.paper()
    for wrong in (url[:-2] + "xx", url.replace(paper["id"], other["id"]), url.partition("?")[0], f"{url}A"):
        assert (await nobody.http.get(wrong)).status_code == 403
    assert (await nobody.http.get(url)).content == pictures.pdf()
    again = await nobody.http.get(url)
    assert (again.status_code, again.json()["code"]) == (403, "media.address_refused")
    late = (await ada.http.post(f"/v1/media/{paper['id']}/address")).json()["url"]
    clock.advance(timedelta(minutes=6))
    assert (await nobody.http.get(late)).status_code == 403


@ON_SQLITE
async def test_U06_who_used_an_address_goes_on_in_ranges_and_nobody_else(ada, staff, nobody, bob, clock):
    stage = ada.stage
    await stage.make(stage.app.identity.user, id=ada.id, email="a@x.example", email_key="a@x.example", roles=[])
    paper, body = await ada.paper(), pictures.pdf()

    async def address() -> str:
        return str((await ada.http.post(f"/v1/media/{paper['id']}/address")).json()["url"])

    async def part(http, url, start, cookie=None):
        headers = {"Range": f"bytes={start}-{start + 9}"} | ({"Cookie": cookie} if cookie else {})
        got = await http.get(url, headers=headers)
        assert got.status_code == 403 or got.content == body[start : start + 10]
        return got.status_code

    url = await address()
    first = await nobody.http.get(url, headers={"Range": "bytes=0-9"})
    given = first.headers["set-cookie"]
    assert (first.status_code, first.content) == (206, body[:10])
    path = url.partition("?")[0]
    assert all(each in given for each in (f"Path={path}", "HttpOnly", "SameSite=strict", "Max-Age=3600"))
    cookie = given.partition(";")[0]
    nobody.http.cookies.clear()
    assert [await part(nobody.http, url, start, cookie) for start in (20, 0, 30)] == [206, 206, 206]
    assert (
        await nobody.http.get(url, headers={"Cookie": cookie})
    ).status_code == 403  # a second time, not a part of it
    assert await part(bob.http, url, 20) == 403
    end, _, mac = cookie.partition("=")[2].partition(".")
    name = cookie.partition("=")[0]
    for forged in (f"{name}={int(end) + 1}.{mac}", f"{name}={end}.", f"{name}=x.y", f"{name}=", f"other={end}.{mac}"):
        assert await part(nobody.http, url, 20, forged) == 403
    other = await address()
    assert await part(nobody.http, other, 0, cookie) == 206  # its first use: the pass of the other one says nothing
    assert await part(nobody.http, other, 0, cookie) == 403
    clock.advance(timedelta(minutes=30))  # the address itself has ended
    assert await part(nobody.http, url, 20, cookie) == 206
    clock.advance(timedelta(minutes=31))
    assert await part(nobody.http, url, 20, cookie) == 403
    url = await address()
    cookie = (await nobody.http.get(url)).headers["set-cookie"].partition(";")[0]
    nobody.http.cookies.clear()
    await ada.http.delete(f"/v1/media/{paper['id']}")
    assert await part(nobody.http, url, 20, cookie) == 403


@ON_SQLITE
async def test_ranges_and_conditions(ada):
    body = pictures.mp4(5000)
    clip = await ada.sent(body, name="a.mp4", declared="video/mp4", purpose="video")
    assert clip["status"] == "ready" and clip["variants"]["thumb"] is None

    async def get(**headers):
        return await ada.http.get(
            clip["url"], headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    whole = await get()
    tag = whole.headers["etag"]
    assert whole.content == body and whole.headers["accept-ranges"] == "bytes"
    for asked, start, end in [
        ("bytes=0-99", 0, 100),
        ("bytes=4900-", 4900, 5000),
        ("bytes=-10", 4990, 5000),
        ("bytes=4990-9999", 4990, 5000),
    ]:
        got = await get(range=asked)
        assert (got.status_code, got.content) == (206, body[start:end])
        assert got.headers["content-range"] == f"bytes {start}-{end - 1}/5000"
    assert (await get(range="bytes=5000-")).status_code == 416
    assert (await get(range="bytes=5000-")).headers["content-range"] == "bytes */5000"
    for ignored in ("bytes=0-1,5-6", "lines=1-2", "bytes=9-2", "bytes=x-"):
        assert (await get(range=ignored)).status_code == 200
    assert (await get(range="bytes=0-9", if_range=tag)).status_code == 206
    assert (await get(range="bytes=0-9", if_range='"other"')).status_code == 200
    assert (await get(if_none_match=tag)).status_code == 304
    assert (await ada.http.head(clip["url"])).headers["content-length"] == "5000"


async def test_a_gallery_keeps_one_order_and_one_cover(ada, stage):
    album = await ada.album(is_public=True)
    ids = [(await ada.sent(album_id=album))["id"] for _ in range(4)]

    async def order():
        found = (await ada.http.get(f"/v1/media?album_id={album}&sort=position")).json()["items"]
        assert [each["position"] for each in found] == [0, 1, 2, 3]
        return [ids.index(each["id"]) for each in found], [ids.index(each["id"]) for each in found if each["is_cover"]]

    async def cover():
        return ids.index((await ada.http.get(f"/v1/albums/{album}")).json()["cover_id"])

    async def patch(number, **changes):
        answer = await ada.http.patch(f"/v1/media/{ids[number]}", json=changes)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert (await order(), await cover()) == (([0, 1, 2, 3], []), 0)
    assert (await patch(3, position=0))["position"] == 0
    assert (await order(), await cover()) == (([3, 0, 1, 2], []), 3)
    await patch(1, is_cover=True)
    await patch(2, is_cover=True, alt_text="The garden")
    assert (await order(), await cover()) == (([3, 0, 1, 2], [2]), 2)
    await patch(2, position=99, is_cover=False)
    assert (await order(), await cover()) == (([3, 0, 1, 2], []), 3)
    assert (await ada.http.delete(f"/v1/media/{ids[3]}")).status_code == 204
    assert await cover() == 0
    clip = await ada.sent(pictures.mp4(), name="a.mp4", declared="video/mp4", purpose="video", album_id=album)
    assert (await ada.http.patch(f"/v1/media/{clip['id']}", json={"is_cover": True})).status_code == 422
    loose = await ada.sent()
    assert (await ada.http.patch(f"/v1/media/{loose['id']}", json={"position": 1})).status_code == 422


async def test_two_clients_who_reorder_at_once_leave_one_order(real_stage):
    ada = Person(real_stage, gallery_app.ADA)
    album = await ada.album(is_public=True)
    ids = [(await ada.send(album_id=album)).json()["id"] for _ in range(4)]
    moves = [{"position": 0}, {"is_cover": True}, {"position": 2}, {"is_cover": True}]
    answers = await asyncio.gather(*(ada.http.patch(f"/v1/media/{i}", json=m) for i, m in zip(ids, moves, strict=True)))
    assert {each.status_code for each in answers} == {200}
    found = (await ada.http.get(f"/v1/media?album_id={album}&sort=position")).json()["items"]
    assert [each["position"] for each in found] == [0, 1, 2, 3]
    assert sum(each["is_cover"] for each in found) == 1


async def test_a_deletion_reaches_the_store_and_waits_for_who_needs_the_file(ada, staff, stage, stored):
    from uuid import UUID

    from freehold import system
    from freehold.media import hold, redact, release

    photo, needed, redacted = await ada.sent(), await ada.paper(), await ada.paper()
    async with stage.database.writing(system("a check needs it")) as unit:
        await hold(unit.session, [UUID(needed["id"])])
    for each in (photo, needed):
        assert (await ada.http.delete(f"/v1/media/{each['id']}")).status_code == 204
        assert (await ada.http.get(each["url"])).status_code == 404
    await stage.app.jobs.run_pending()
    assert sorted(await stored()) == sorted(f"media/{each['id']}/original" for each in (needed, redacted))
    assert (await staff.http.get(needed["url"])).status_code == 200
    async with stage.database.writing(system("the check is over")) as unit:
        await release(unit.session, [UUID(needed["id"])])
        await redact(unit.session, [UUID(redacted["id"])])
    await stage.app.jobs.run_pending()
    assert await stored() == []
    assert (await staff.http.get(f"/v1/media/{needed['id']}")).status_code == 404
