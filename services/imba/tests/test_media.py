"""`/v1/media` and `/v1/uploads`: a listing's gallery, documents for a check, quotas, and what is left of a deletion."""

from __future__ import annotations

import base64
import re
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
import pyvips

from freehold.media import Library, MediaQuota
from freehold.testing import Answer, Stage

from .world import Json, Person, draft, listed

pytestmark = pytest.mark.anyio
ON_SQLITE = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
TUS = {"Tus-Resumable": "1.0.0"}
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@cache
def picture(width: int = 64, height: int = 48) -> bytes:
    made: bytes = pyvips.Image.black(width, height, bands=3).linear(1, [90, 130, 170]).cast("uchar").jpegsave_buffer()
    return made


async def send(person: Person, content: bytes | None = None, **fields: Any) -> Answer:
    """A photo, unless the purpose is another."""
    is_photo = fields.setdefault("purpose", "photo") == "photo"
    file = (
        ("a.jpg", content or picture(), "image/jpeg") if is_photo else ("deed.pdf", content or PDF, "application/pdf")
    )
    data = {name: str(value) for name, value in fields.items()}
    return Answer(await person.client.post("/v1/media", files={"file": file}, data=data))


async def sent(person: Person, **fields: Any) -> Json:
    answer = await send(person, **fields)
    assert answer.status == 201, answer.text
    body: Json = answer.json
    return body


async def begun(person: Person, size: int, **said: str) -> Answer:
    pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    headers = TUS | {"Upload-Length": str(size), "Upload-Metadata": pairs}
    return Answer(await person.client.post("/v1/uploads", headers=headers))


async def kept(stage: Stage) -> set[str]:
    """The ids of the files in the store."""
    library = stage.database.parts[Library]
    return {each.key.split("/")[1] async for each in library.files.list("media/")}


class TestGallery:
    async def test_is_ordered_has_one_cover_and_says_what_is_seen(
        self, stage: Stage, landlord: Person, reviewer: Person, anonymous: Person
    ) -> None:
        home = await listed(landlord, reviewer)
        path = f"/v1/properties/{home['id']}"
        assert home["cover"] is None
        photos = [await sent(landlord, property_id=home["id"], alt_text=f"Room {number}") for number in range(3)]
        assert [each["status"] for each in photos] == ["processing"] * 3
        await stage.app.jobs.run_pending()
        assert (await anonymous.get(path)).json["cover"]["id"] == photos[0]["id"]
        assert (await landlord.patch(f"/v1/media/{photos[2]['id']}", {"position": 0})).status == 200
        assert (
            await landlord.patch(f"/v1/media/{photos[1]['id']}", {"is_cover": True, "alt_text": "The bay"})
        ).status == 200
        gallery = (await anonymous.get(f"/v1/media?property_id={home['id']}&purpose=photo&sort=position")).json["items"]
        assert [each["alt_text"] for each in gallery] == ["Room 2", "Room 0", "The bay"]
        assert [each["is_cover"] for each in gallery] == [False, False, True]
        cover = (await anonymous.get(path)).json["cover"]
        assert cover["id"] == photos[1]["id"]
        shown = await anonymous.get(cover["card"], Accept="image/webp")
        assert (shown.status, shown.headers["content-type"]) == (200, "image/webp")
        assert (await landlord.delete(f"/v1/media/{photos[1]['id']}")).status == 204
        assert (await anonymous.get(path)).json["cover"]["id"] == photos[2]["id"]
        assert (await anonymous.get(cover["card"])).status == 404

    @ON_SQLITE
    async def test_belongs_to_its_landlord_alone(
        self, landlord: Person, other_landlord: Person, reviewer: Person, tenant: Person, anonymous: Person
    ) -> None:
        home, hidden = await listed(landlord, reviewer), await draft(landlord)
        assert (await send(anonymous, property_id=home["id"])).status == 401
        assert (await send(tenant, property_id=home["id"])).status == 403
        assert (await send(other_landlord, property_id=home["id"])).status == 403
        unseen = await send(other_landlord, property_id=hidden["id"])
        never = await send(other_landlord, property_id=uuid4())
        assert (unseen.status, unseen.json["errors"]) == (422, never.json["errors"])
        photo = await sent(landlord, property_id=home["id"])
        for stranger, status in ((other_landlord, 404), (tenant, 404), (anonymous, 401)):
            # Not ready yet: who may not change it may read what the listing shows, and is told 403 from then on.
            assert (await stranger.patch(f"/v1/media/{photo['id']}", {"is_cover": True})).status in (status, 403)
            assert (await stranger.delete(f"/v1/media/{photo['id']}")).status in (status, 403)
        assert (await landlord.get(f"/v1/media/{photo['id']}")).json["is_cover"] is False

    async def test_is_seen_as_far_as_the_listing_is(
        self, stage: Stage, landlord: Person, reviewer: Person, tenant: Person, anonymous: Person
    ) -> None:
        home = await listed(landlord, reviewer)
        photo = await sent(landlord, property_id=home["id"])
        loose = await sent(landlord)
        await stage.app.jobs.run_pending()
        for who in (anonymous, tenant):
            assert [each["id"] for each in (await who.get("/v1/media")).json["items"]] == [photo["id"]]
            assert (await who.get(loose["url"])).status == 404
        assert (await landlord.delete(f"/v1/properties/{home['id']}/publication")).status == 204
        for who in (anonymous, tenant):
            assert (await who.get("/v1/media")).json["items"] == []
            assert [(await who.get(path)).status for path in (photo["url"], f"/v1/media/{photo['id']}")] == [404, 404]
        assert (await landlord.get(photo["url"])).status == (await reviewer.get(photo["url"])).status == 200

    @ON_SQLITE
    async def test_holds_so_many_photos(self, stage: Stage, landlord: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        home, media = await draft(landlord), stage.database.parts[Library].media
        fewer = [type(each)(each.name, types=each.types, variants=each.variants, private=each.private, max_count=2) for each in media.purposes]  # fmt: skip
        monkeypatch.setattr(media, "purposes", fewer)
        answers = [await send(landlord, property_id=home["id"]) for _ in range(3)]
        assert [each.status for each in answers] == [201, 201, 409]
        assert answers[2].code == "media.quota_reached"
        assert (await send(landlord)).status == 201, "another gallery, another count"
        assert len(await kept(stage)) == 3


class TestDocuments:
    async def test_are_for_their_owner_and_staff(
        self,
        stage: Stage,
        landlord: Person,
        other_landlord: Person,
        reviewer: Person,
        tenant: Person,
        anonymous: Person,
    ) -> None:
        home = await listed(landlord, reviewer)
        deed = await sent(landlord, purpose="document", property_id=home["id"])
        assert (deed["status"], deed["variants"]["thumb"]) == ("ready", None)
        for stranger in (other_landlord, tenant, anonymous):
            assert (await stranger.get("/v1/media")).json["items"] == []
            never = f"/v1/media/{uuid4()}"
            for path in ("", "/content", "/content?variant=full"):
                told, guessed = await stranger.get(f"/v1/media/{deed['id']}{path}"), await stranger.get(never + path)
                assert (told.status, blank(told)) == (404, blank(guessed)), path
            assert (await stranger.post(f"/v1/media/{deed['id']}/address")).status == 404
        for reader in (landlord, reviewer):
            got = await reader.client.get(deed["url"])
            assert (got.content, got.headers["cache-control"]) == (PDF, "no-store, private")
            assert got.headers["content-disposition"].startswith("attachment")
        url = (await reviewer.made(f"/v1/media/{deed['id']}/address"))["url"]
        assert [(await anonymous.get(url)).status, (await anonymous.get(url)).status] == [200, 403]

    async def test_stay_for_the_reviewer_until_the_check_is_over(
        self, stage: Stage, landlord: Person, other_landlord: Person, reviewer: Person
    ) -> None:
        deed, stranger_s = await sent(landlord, purpose="document"), await sent(other_landlord, purpose="document")
        asked = {"subject": "identity", "document_ids": [stranger_s["id"]]}
        assert (await landlord.post("/v1/verification-requests", asked)).status == 422
        asked["document_ids"] = [(await sent(landlord))["id"]]
        assert (await landlord.post("/v1/verification-requests", asked)).status == 422, "a photo is no document"
        asked["document_ids"] = [deed["id"]]
        await landlord.made("/v1/verification-requests", asked)
        assert (await landlord.delete(f"/v1/media/{deed['id']}")).status == 204
        await stage.app.jobs.run_pending()
        assert (await landlord.get(deed["url"])).status == 404
        assert (await reviewer.get(deed["url"])).status == 200
        assert deed["id"] in await kept(stage)

    @ON_SQLITE
    async def test_are_not_taken_for_photos_nor_photos_for_documents(self, stage: Stage, landlord: Person) -> None:
        file = {"file": ("deed.pdf", PDF, "application/pdf")}
        answer = Answer(await landlord.client.post("/v1/media", files=file, data={"purpose": "photo"}))
        assert (answer.status, answer.code) == (415, "media.type_refused")
        deed = await sent(landlord, purpose="document")
        assert (await landlord.patch(f"/v1/media/{deed['id']}", {"is_cover": True})).pointers == ["/is_cover"]
        assert await kept(stage) == {deed["id"]}


class TestLimits:
    @ON_SQLITE
    async def test_a_quota_counts_what_is_kept_and_what_has_been_begun(
        self, stage: Stage, landlord: Person, other_landlord: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        media = stage.database.parts[Library].media
        monkeypatch.setattr(media, "quota", MediaQuota(max_bytes=1000, max_files=3))
        first = await sent(landlord, purpose="document", content=PDF.ljust(400))
        upload = await begun(landlord, 500, purpose="document", filename="a.pdf")
        assert upload.status == 201
        refused = await send(landlord, PDF.ljust(200), purpose="document")
        assert (refused.status, refused.code) == (409, "media.quota_reached")
        assert "100 are left" in refused.json["detail"]
        assert (await send(other_landlord, PDF.ljust(200), purpose="document")).status == 201
        assert (await landlord.client.delete(upload.headers["location"], headers=TUS)).status_code == 204
        assert (await send(landlord, PDF.ljust(200), purpose="document")).status == 201
        assert (await landlord.delete(f"/v1/media/{first['id']}")).status == 204
        assert (await send(landlord, PDF.ljust(600), purpose="document")).status == 201

    async def test_an_upload_is_its_owner_s_alone(
        self, landlord: Person, other_landlord: Person, reviewer: Person, tenant: Person, anonymous: Person
    ) -> None:
        assert (await begun(tenant, 100, purpose="document")).status == 403
        upload = await begun(landlord, len(PDF), purpose="document", filename="deed.pdf")
        where, never = upload.headers["location"], f"/v1/uploads/{uuid4()}"
        for stranger, status in ((other_landlord, 404), (reviewer, 403), (tenant, 403), (anonymous, 401)):
            told, guessed = await stranger.get(where), await stranger.get(never)
            assert (told.status, blank(told)) == (status, blank(guessed))
            for method in ("HEAD", "PATCH", "DELETE"):
                chunk = TUS | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
                answer = await stranger.client.request(method, where, headers=chunk, content=b"x" * (method == "PATCH"))
                assert answer.status_code == status
        chunk = TUS | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
        done = await landlord.client.patch(where, content=PDF, headers=chunk)
        assert done.status_code == 204, done.text
        assert (await landlord.client.get(done.headers["content-location"] + "/content")).content == PDF


class TestLeaving:
    async def test_an_export_lists_the_files_and_leaving_takes_them_out_of_the_store(
        self, stage: Stage, landlord: Person, other_landlord: Person, reviewer: Person, anonymous: Person
    ) -> None:
        home = await listed(landlord, reviewer)
        photo = await sent(landlord, property_id=home["id"])
        deed = await sent(landlord, purpose="document")
        theirs = await sent(other_landlord, purpose="document")
        await landlord.made("/v1/verification-requests", {"subject": "property", "property_id": (await draft(landlord))["id"], "document_ids": [deed["id"]]})  # fmt: skip
        upload = (await begun(landlord, 500, purpose="document")).headers["location"]
        await stage.app.jobs.run_pending()
        exported = (await landlord.get("/v1/users/me/export")).json["media"]
        assert [each["id"] for each in exported] == [photo["id"], deed["id"]]
        assert {"filename", "alt_text", "url"} <= exported[0].keys()
        assert await kept(stage) == {photo["id"], deed["id"], theirs["id"]}
        assert (await landlord.delete("/v1/users/me")).status == 204
        assert (await anonymous.get(photo["url"])).status == 404
        assert (await reviewer.get(deed["url"])).status == 404
        await stage.app.jobs.run_pending()
        assert await kept(stage) == {theirs["id"]}
        assert (await landlord.client.head(upload, headers=TUS)).status_code in (401, 404)


def blank(answer: Answer) -> str:
    """An answer without what names this one request."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{8,}", "", answer.text)
