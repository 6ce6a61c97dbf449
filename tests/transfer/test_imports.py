"""A file over HTTP: received aside, imported by a job under its sender's rules, followed, cancelled, retried."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from tests.transfer.store import Item, make
from tests.web.shelf import ByName, as_

from freehold import system
from freehold.errors import ConfigurationError
from freehold.jobs import context
from freehold.testing import Stage
from freehold.transfer import importing
from freehold.web.import_job import ImportDesk

pytestmark = pytest.mark.anyio
FILE = b"sku,title\na,Apple\nb,\nc,Cherry\nd,Date\n"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK", 2)


async def send(
    stage: Stage, content: bytes = FILE, who: str = "staff", query: str = "", **headers: str
) -> httpx2.Response:
    given = as_(who) | {"Content-Type": "text/csv"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with stage.client() as client:
        return await client.post(f"/v1/items/import{query}", content=content, headers=given)


async def followed(stage: Stage, answer: httpx2.Response) -> Any:
    assert answer.status_code == 202, answer.text
    async with stage.client() as client:
        return (await client.get(answer.headers["location"], headers=as_("staff"))).json()


async def kept(stage: Stage) -> list[str]:
    return [each.key async for each in stage.database.parts[ImportDesk].files.list("imports/")]


async def skus(stage: Stage) -> list[str]:
    async with stage.database.reading(system("a test looks")) as session:
        return sorted(await session.scalars(select(Item.sku)))


async def test_N04_a_file_is_imported_by_a_job_that_tells_what_became_of_it(stage: Stage) -> None:
    sent = await send(stage)
    assert (sent.json()["state"], len(await kept(stage))) == ("waiting", 1)
    await stage.app.jobs.run_pending()
    told = await followed(stage, sent)
    assert told["state"] == "done", told
    assert told["progress"] == {"done": 4, "total": 4, "note": ""}
    result = told["result"]
    assert {name: result[name] for name in ("records", "created", "refused", "is_dry")} == {
        "records": 4, "created": 3, "refused": 1, "is_dry": False,
    }  # fmt: skip
    assert result["refused_rows"] == [{"line": 3, "reasons": "title: Field required"}]
    assert result["reasons"] == [
        {"column": "title", "message": "Field required", "is_refusal": True, "count": 1, "first_line": 3}
    ]
    assert await skus(stage) == ["a", "c", "d"]
    assert await kept(stage) == []


async def test_all_remarks_are_read_in_pages_by_whoever_sent_the_file(stage: Stage) -> None:
    sent = await send(stage, b"sku,title\n" + b"".join(b"%d,\n" % n for n in range(60)) + b"z,Z,Z\n")
    await stage.app.jobs.run_pending()
    result = (await followed(stage, sent))["result"]
    address = result["remarks"]
    assert len(result["refused_rows"]) == 50
    async with stage.client() as client:
        pages: list[Any] = []
        following: str | None = ""
        while following is not None:
            query = f"?limit=25&cursor={following}" if following else "?limit=25"
            answer = await client.get(address + query, headers=as_("staff"))
            assert answer.status_code == 200, answer.text
            assert ('rel="next"' in answer.headers["link"]) is (answer.json()["next_cursor"] is not None)
            pages.append(answer.json()["items"])
            following = answer.json()["next_cursor"]
        assert [len(page) for page in pages] == [25, 25, 11]
        said = [each for page in pages for each in page]
        assert said[0] == {"line": 2, "column": "title", "message": "Field required", "is_refusal": True}
        assert said[-1] == {
            "line": 62, "column": "", "message": "has 3 cells, where the first line has 2", "is_refusal": True,
        }  # fmt: skip
        assert [each["line"] for each in said] == list(range(2, 63))
        assert (await client.get(address, headers=as_("ada"))).status_code == 404
        assert (await client.get(address)).status_code == 401
        assert (await client.get(f"{address}?limit=0", headers=as_("staff"))).status_code == 422
        assert (await client.get(f"{address}?cursor=x", headers=as_("staff"))).status_code == 400
        assert (await client.get("/v1/imports/none/remarks", headers=as_("staff"))).status_code == 404


async def test_what_is_sent_is_a_file_of_rows_from_somebody_who_may(stage: Stage) -> None:
    assert (await send(stage, who="ada")).status_code == 403
    async with stage.client() as client:
        assert (
            await client.post("/v1/items/import", content=FILE, headers={"content-type": "text/csv"})
        ).status_code == 401
    for headers, status in (
        ({"Content_Type": "application/json"}, 415), ({"Content_Type": "text/csv; charset=klingon"}, 415),
        ({"Content_Encoding": "gzip"}, 415), ({"Idempotency_Key": ""}, 400),
    ):  # fmt: skip
        assert (await send(stage, **headers)).status_code == status, headers
    assert (await send(stage, gzip.compress(FILE))).status_code == 415
    for query in ("?dry_run=yes", "?colour=red", "?stop=true&stop=true"):
        assert (await send(stage, query=query)).status_code == 422, query
    assert (await send(stage, b"x" * (64 * 1024 * 1024 + 1))).status_code == 413
    assert await kept(stage) == []


async def test_a_file_that_is_none_fails_at_once_and_says_why(stage: Stage) -> None:
    wrong = await send(stage, b"sku,colour\na,red\n")
    stopped = await send(stage, query="?stop=true")
    latin = await send(
        stage, "sku,title\né,é\n".encode("latin-1"), Content_Type="text/csv; charset=iso-8859-1", query="?dry_run=true"
    )
    await stage.app.jobs.run_pending()
    told = await followed(stage, wrong)
    assert (told["state"], told["failure"]["code"]) == ("dead", "import.refused")
    assert "'colour': no field of items has this name" in told["failure"]["detail"]
    assert "Stopped at line 3: title: Field required" in (await followed(stage, stopped))["failure"]["detail"]
    dry = (await followed(stage, latin))["result"]
    assert (dry["is_dry"], dry["created"]) == (True, 1)
    assert await skus(stage) == []
    assert await kept(stage) == []


async def test_I02_a_retry_by_key_is_one_import(stage: Stage) -> None:
    first = await send(stage, Idempotency_Key="once")
    again = await send(stage, Idempotency_Key="once")
    assert (again.status_code, again.headers["location"]) == (202, first.headers["location"])
    assert len(await kept(stage)) == 1
    assert (await send(stage, b"sku,title\nz,Z\n", Idempotency_Key="once")).status_code == 422
    assert len(await kept(stage)) == 1


async def test_an_import_is_cancelled_between_two_chunks_and_goes_on_when_sent_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = await send(stage)
    written = context.JobContext.writing
    seen: list[Any] = []

    def asked_to_stop(self: context.JobContext, **known: Any) -> Any:
        seen.append(known)
        if len(seen) == 2:
            assert self._try.reporter is not None
            self._try.reporter.cancellation_requested = True
        return written(self, **known)

    monkeypatch.setattr(context.JobContext, "writing", asked_to_stop)
    await stage.app.jobs.run_pending()
    assert (await followed(stage, sent))["state"] == "cancelled"
    assert await skus(stage) == ["a"]
    monkeypatch.setattr(context.JobContext, "writing", written)
    again = await send(stage)
    await stage.app.jobs.run_pending()
    result = (await followed(stage, again))["result"]
    assert (result["records"], result["created"], result["refused"]) == (4, 3, 1)
    assert await skus(stage) == ["a", "c", "d"]


def test_an_authenticator_that_finds_nobody_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(ByName, "find")
    with pytest.raises(ConfigurationError, match=r"find\(principal_id\)"):
        make(f"sqlite+aiosqlite:///{tmp_path}/t.db", tmp_path)
